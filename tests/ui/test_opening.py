"""The first page as the server's root answers it: what Streamlit will draw there, or Streamlit's page as it is."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

import pytest
import streamlit as st
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from explorer.errors import ExplorerError
from explorer.recordings import Library
from explorer.ui import controls, opening, race, resources, router

_INDEX = (Path(st.__file__).parent / "static" / "index.html").read_text()
_QUESTIONS = {"en": "Is learning better networks as easy", "ko": "더 좋은 네트워크를 배우는 일은"}


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    opening.make()


def _answered(query: str = "", accepted: str = "en-GB,en;q=0.9") -> str:
    scope = {
        "type": "http", "method": "GET", "path": "/", "query_string": query.encode(),
        "headers": [(b"accept-language", accepted.encode())],
    }  # fmt: skip
    with ThreadPoolExecutor() as elsewhere:  # this thread may have a loop of its own: that of the browser's driver
        response = elsewhere.submit(lambda: asyncio.run(opening.answer(Request(scope)))).result()
    return bytes(response.body).decode()


@pytest.mark.parametrize("language", _QUESTIONS)
def test_it_says_what_the_page_will_say(language: str) -> None:
    app = AppTest.from_file(router.__file__, default_timeout=60)
    app.query_params["lang"] = language
    app.run()
    said = [
        block.value for block in app.main.get("html") if "rx-finding" in block.value or "rx-provenance" in block.value
    ]
    assert len(said) == 2
    answered = _answered(f"lang={language}")
    for html in said:
        assert html in answered
    assert escape(app.title[0].value) in answered
    assert f'<html lang="{language}">' in answered


def test_it_draws_every_curve_of_the_recordings() -> None:
    shown = {run.config.network.name for run in race._first(controls.usual_race())}
    assert shown <= {run.config.network.name for run in Library().runs()}
    answered = _answered()
    legend = answered.split('class="rx-still-legend"')[1]
    for name in shown:
        assert f"{name} training" in legend
        assert f"{name} test" in legend
    assert answered.replace("<!DOCTYPE html>", "").count("<html") == 1
    assert answered.count("index.") >= _INDEX.count("index."), "Streamlit's scripts are still there"


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [("", "ko-KR,ko;q=0.9", "ko"), ("", "fr", "en"), ("lang=ko", "en", "ko"), ("lang=xx", "ko", "ko"), ("", "", "en")],
)
def test_the_address_says_the_language_else_the_browser(query: str, accepted: str, language: str) -> None:
    assert _QUESTIONS[language] in _answered(query, accepted)


@pytest.mark.parametrize("query", ["depths=8+%7C+14", "recipe=paper", "present=1", "lang=en&room=KAKA"])
def test_what_asks_for_another_picture_gets_none(query: str) -> None:
    assert _answered(query) == _INDEX


def test_a_server_with_runs_of_the_usual_race_shows_those_alone() -> None:
    assert _answered() != _INDEX
    resources.server().store.submit(controls.usual_race().runs[:1], "shapes")
    assert _answered() == _INDEX


def test_nobody_waits_for_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_made", {})
    assert _answered() == _INDEX


@pytest.mark.threat("Strangers come in")
def test_who_must_log_in_sees_nothing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.login.is_required", lambda: True)
    assert _answered() == _INDEX


@pytest.mark.parametrize("at_first", [True, False], ids=["when it is made", "later"])
def test_what_goes_wrong_keeps_nobody_from_the_page(
    at_first: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> str:
        raise ValueError("no such recording")

    if at_first:
        monkeypatch.setattr(opening, "_made", {})
        monkeypatch.setattr(race, "opening", fails)
        opening.make()
    else:
        monkeypatch.setattr(race, "has_begun", fails)
    assert _answered() == _INDEX
    assert "no such recording" in caplog.text


def test_a_store_that_another_server_uses_is_the_pages_to_tell(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> str:
        raise ExplorerError("another server is using the store")

    monkeypatch.setattr(race, "has_begun", fails)
    assert _answered() == _INDEX
    assert "another server" not in caplog.text
