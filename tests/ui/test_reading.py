"""Images that are not decoded yet: how far it is, a stop, and read ahead by the server."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import sources
from explorer.engines.errands import UnwantedError, wait
from explorer.ui import resources


def _script() -> None:
    import streamlit as st

    from explorer.ui import frame, reading

    with frame.errors_in_place():
        st.write(f"{len(reading.images('shapes', 'test').test_labels)} images")


class Slow:
    """Stands for `sources.load`: says how far it is until it may end."""

    def __init__(self) -> None:
        self.may_end, self.calls, self.given_up = threading.Event(), 0, False

    def __call__(self, data: str, note: Callable[[float], None]) -> Any:
        self.calls += 1
        load = _LOAD
        while not self.may_end.wait(0.01):
            try:
                note(0.25)
            except UnwantedError:
                self.given_up = True
                raise
        return load(data)


_LOAD = sources.load


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow()
    monkeypatch.setattr(sources, "load", slow)
    return slow


def _words(app: AppTest) -> list[str]:
    return [one.value for one in [*app.markdown, *app.error]]


def test_a_visitor_waits_with_progress_and_gets_the_images(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.reading._TICK_SECONDS", 0.02)
    said: list[tuple[float, str]] = []

    def progress(_self: object, value: float, text: str) -> None:
        said.append((value, text))
        slow.may_end.set()

    monkeypatch.setattr("streamlit.delta_generator.DeltaGenerator.progress", progress)
    app = AppTest.from_function(_script, default_timeout=30).run()
    assert _words(app) == ["2000 images"]
    assert said
    assert said[0][0] in (0.0, 0.25)
    assert said[0][1].startswith("Reading the images, once for all")
    assert not app.button  # progress and its stop are gone
    assert slow.calls == 1
    app.run()
    assert slow.calls == 1


def test_who_has_stopped_it_is_told_and_can_begin_it_again(slow: Slow) -> None:
    slow.may_end.set()
    app = AppTest.from_function(_script, default_timeout=30)
    app.session_state["test-reading-stopped"] = True
    app.run()
    assert _words(app) == ["Reading the images was stopped."]
    assert slow.calls == 0
    app.button(key="test-reading-again").click().run()
    assert _words(app) == ["2000 images"]


def test_what_nobody_waits_for_is_left_alone_and_begins_anew(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.engines.errands._FORGOTTEN_SECONDS", 0.1)
    errand = resources.reading("shapes")
    end = time.monotonic() + 20
    while not (slow.given_up and errand.unwanted):
        assert time.monotonic() < end
        time.sleep(0.01)
    slow.may_end.set()
    monkeypatch.setattr("explorer.engines.errands._FORGOTTEN_SECONDS", 10.0)
    again = resources.reading("shapes")
    assert again is not errand
    assert wait([again], 20)
    assert len(again.value().test_labels) == 2000


def test_the_server_reads_its_images_ahead(slow: Slow) -> None:
    slow.may_end.set()
    resources.read_ahead()
    assert slow.calls == 1
    assert len(resources.images("shapes").test_labels) == 2000
    assert slow.calls == 1
