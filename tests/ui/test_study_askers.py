"""Whose measurement is whose: who asked for it stops it, others are told so, and nobody's is anybody's."""

import sys
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engines import studies as module
from explorer.engines.studies import RUNNING
from explorer.errors import RequestError
from explorer.runs import Run, Store
from explorer.ui import resources, studies
from explorer.ui.studies import Asked
from tests.ui.test_study_pages import _choose
from tests.ui.visits import finished, keep_weights, visit, words


class Visitors:
    """Who looks at the page now, and who has left."""

    now = "ada"
    gone: frozenset[str] = frozenset()
    passes: dict[str, str] = {}


@pytest.fixture
def visitors(monkeypatch: pytest.MonkeyPatch) -> Visitors:
    who = Visitors()
    who.passes = {}
    monkeypatch.setattr("explorer.ui.membership.visit", lambda: who.now)
    monkeypatch.setattr("explorer.ui.membership.is_here", lambda visit: visit not in who.gone)
    monkeypatch.setattr("explorer.ui.membership.signed", lambda: who.passes.get(who.now))
    return who


@pytest.fixture
def page(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AppTest]]:
    """The page Lesions of two networks, whose measurements never end."""
    popen = module.subprocess.Popen
    endless = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(module.subprocess, "Popen", lambda _command, **options: popen(endless, **options))
    pair = [finished(store, family, 8) for family in ("plain", "resnet")]
    for config in pair:
        keep_weights(store, config)
    yield lambda: _choose(visit("lesions"), "lesions", pair)
    for process in resources.studies()._processes.values():
        process.kill()


def _asked(run: Run) -> Asked:
    return Asked(run, ["lesions", run.run, "--images", "1000"], 1.0)


def _states() -> list[str]:
    found = [resources.studies().get(_asked(run).arguments) for run in resources.server().store.runs()]
    return [study.state for study in found if study]


def _keys(app: AppTest) -> set[str]:
    assert not app.exception
    return {button.key for button in app.button} & {"lesions-start", "lesions-stop", "lesions-join"}


@pytest.mark.threat("A visitor stops another's measurement or maps")
def test_only_who_asked_stops_a_measurement(page: Callable[[], AppTest], visitors: Visitors) -> None:
    adas = page()
    adas.button(key="lesions-start").click().run()
    assert _keys(adas) == {"lesions-stop"}
    visitors.now = "ben"
    bens = page()
    assert _keys(bens) == {"lesions-join"}
    assert "Another visitor asked for it and alone can stop it" in words(bens)
    with pytest.raises(RequestError, match="only who asked for it, and a room's presenter, can stop it"):
        studies.stop(_asked(resources.server().store.runs()[0]))
    assert _states() == [RUNNING, RUNNING]
    visitors.now = "ada"
    adas.button(key="lesions-stop").click().run()
    assert _keys(adas) == {"lesions-start"}
    assert _states() == []


def test_what_two_want_goes_on_until_both_have_stopped_it(page: Callable[[], AppTest], visitors: Visitors) -> None:
    adas = page()
    adas.button(key="lesions-start").click().run()
    visitors.now = "ben"
    bens = page()
    bens.button(key="lesions-join").click().run()
    assert _keys(bens) == {"lesions-stop"}
    visitors.now = "ada"
    adas.button(key="lesions-stop").click().run()
    assert _keys(adas) == {"lesions-join"}
    assert _states() == [RUNNING, RUNNING]
    visitors.now = "ben"
    bens.button(key="lesions-stop").click().run()
    assert _states() == []


def test_what_somebody_left_behind_is_anybodys(page: Callable[[], AppTest], visitors: Visitors) -> None:
    """Also their own after a reload, which is another visit."""
    page().button(key="lesions-start").click().run()
    visitors.now, visitors.gone = "ada again", frozenset({"ada"})
    app = page()
    app.button(key="lesions-stop").click().run()
    assert _states() == []


def test_a_rooms_presenter_stops_what_its_visitors_measure_and_no_others(
    page: Callable[[], AppTest], visitors: Visitors
) -> None:
    rooms = resources.rooms()
    presenter, stranger = rooms.open(), rooms.open()
    code = rooms.look(presenter).code
    visitors.passes = {
        "ada": rooms.join(code, "s", "10.0.0.1"), "ben": rooms.join(code, "t", "10.0.0.1"), "teacher": presenter,
        "other teacher": stranger,
    }  # fmt: skip
    page().button(key="lesions-start").click().run()
    for visitors.now in ("ben", "other teacher", "nobody"):
        assert _keys(page()) == {"lesions-join"}
    visitors.now = "teacher"
    page().button(key="lesions-stop").click().run()
    assert _states() == []
