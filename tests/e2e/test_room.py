"""Two browsers in one room: they follow, vote, see the votes revealed, share an experiment; and what is refused."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from explorer.language import LANGUAGES
from tests.e2e.conftest import ROOT, serving, settle
from tests.e2e.test_lesson import _SCROLLS, _SMALL

DRAWN = ".residual-plot.is-drawn"
_CHANGES = """(seconds) => new Promise((done) => {
  let changes = 0
  const watcher = new MutationObserver((found) => (changes += found.length))
  const main = document.querySelector("[data-testid=stMain]")
  watcher.observe(main, { subtree: true, childList: true, characterData: true })
  setTimeout(() => done(changes), 1000 * seconds)
})"""
_RESULTS = f"""document.querySelector('{DRAWN} .js-plotly-plot')?.data
  .filter((trace) => trace.name?.startsWith('plain') && trace.y?.some((error) => error !== null)).length ?? 0"""


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that trains on generated shapes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_DATA", "shapes")
        with serving(ROOT / "app.py", tmp_path_factory.mktemp("classroom")) as address:
            yield address


def _opened(page: Any, server: str, more: str = "") -> str:
    """Open a room; its code."""
    page.goto(f"{server}/room{more}")
    page.locator(".st-key-room-open button").click()
    return str(page.locator(".rx-code").inner_text())


def _show(page: Any, what: str) -> None:
    page.locator(".st-key-room-kind").get_by_text(what, exact=True).click()


@pytest.mark.threat("A visitor stops or deletes another's run, or takes its place in an experiment")
def test_two_browsers_vote_see_the_reveal_and_share_an_experiment(new_page: Callable[..., Any], classroom: str) -> None:
    desk, seat = new_page(), new_page(width=390, height=844, color_scheme="dark")
    code = _opened(desk, classroom)
    seat.goto(f"{classroom}/room")
    seat.get_by_role("textbox", name="Code").fill(code.lower())
    seat.get_by_role("button", name="Join").click()
    seat.get_by_role("heading", name=f"You are in room {code}").wait_for()
    desk.get_by_text("1 here").wait_for()

    _show(desk, "Lesson")
    seat.get_by_role("button", name="lower", exact=True).click()
    desk.get_by_text("1 of 1 have answered").wait_for()
    seat.get_by_role("button", name="higher", exact=True).click()
    seat.get_by_role("button", name=re.compile("check.*higher|higher")).wait_for()
    settle(seat)
    seat.reload()  # who somebody is outlives a reload, the vote too
    seat.get_by_text("You can change it").wait_for(timeout=30_000)
    settle(seat)
    assert seat.evaluate(_CHANGES, 4) == 0, "nothing is redrawn while nothing changes"
    assert not seat.locator(DRAWN).count(), "no votes before they are revealed"
    desk.get_by_role("button", name="Show the answers").click()
    seat.locator(f"{DRAWN} .bartext", has_text="1").wait_for()
    assert seat.locator(".st-key-room-vote-stacking-lower").count() == 0
    desk.keyboard.press("ArrowRight")
    seat.get_by_text("So it was measured.").wait_for()

    _show(desk, "Experiment")
    desk.get_by_role("button", name="Share it with the room").click()
    seat.locator(".st-key-room-network").get_by_text("plain", exact=True).click()
    seat.locator(".st-key-room-value").get_by_text("8", exact=True).click()
    settle(seat)
    seat.get_by_role("button", name=re.compile("^.*Run it")).click()
    seat.get_by_text(re.compile("is the next|is being trained")).wait_for()
    desk.get_by_text("0 of 24 trainings done, 1 taken").wait_for()
    seat.get_by_text("of the test images").first.wait_for(timeout=180_000)
    for page in (seat, desk):
        page.get_by_text("1 of 24 trainings done, 1 taken").wait_for()
        page.wait_for_function(f"{_RESULTS} === 2")  # a point for the test error, one for the training error
    desk.reload()
    desk.get_by_text("1 of 24 trainings done, 1 taken").wait_for(timeout=30_000)


@pytest.mark.threat("A visitor acts as the presenter, or as another visitor")
def test_a_visitor_is_refused_what_is_the_presenters(new_page: Callable[..., Any], classroom: str) -> None:
    desk, seat = new_page(), new_page()
    code = _opened(desk, classroom)
    seat.goto(f"{classroom}/room?code={code}")
    seat.get_by_role("heading", name=f"You are in room {code}").wait_for()
    assert seat.locator(".st-key-room-kind, .st-key-room-reveal, .st-key-room-close").count() == 0
    seat.wait_for_function("document.cookie.includes('rx-room=')")

    promoted = seat.evaluate(
        "document.cookie = document.cookie.match(/rx-room=[^;]*/)[0].replace('visitor', 'presenter')"
    )
    assert ".presenter." in promoted
    signed = promoted.partition("=")[2]
    asked = "(pass) => fetch('/standing', { headers: { 'X-Room-Pass': pass } }).then((answer) => answer.status)"
    assert seat.evaluate(asked, signed) == 403
    assert seat.evaluate(asked, signed.replace("presenter", "visitor")) == 200
    seat.goto(f"{classroom}/room?key={signed}")
    seat.get_by_text("not one that this server gave").wait_for(timeout=30_000)
    assert seat.locator(".st-key-room-kind").count() == 0

    desk.get_by_role("link", name="Degradation", exact=True).click()
    desk.get_by_role("button", name=re.compile("Run it here")).click()
    desk.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    seat.goto(f"{classroom}/room?code={code}")
    seat.get_by_role("heading", name=f"You are in room {code}").wait_for()
    seat.get_by_role("link", name="Degradation", exact=True).click()
    seat.get_by_role("button", name="Stop").click()
    seat.get_by_text("this training is another's").wait_for()
    desk.get_by_role("button", name="Stop").click()
    desk.get_by_role("button", name=re.compile("Run it here")).wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_presenters_room_can_be_read_from_the_back_row(page: Any, classroom: str, language: str) -> None:
    _opened(page, classroom, f"?present=1&lang={language}")
    for kind in range(4):
        page.locator(".st-key-room-kind button").nth(kind).click()
        settle(page)
        assert page.evaluate(_SMALL) == [], kind
        assert kind == 2 or not page.evaluate(_SCROLLS), kind  # the form of an experiment may be longer
    page.locator(".st-key-room-kind button").nth(1).click()
    for at in ("1 / 30", "2 / 30", "3 / 30"):
        page.get_by_text(at, exact=True).wait_for()
        settle(page)
        assert page.evaluate(_SMALL) == [], at
        assert not page.evaluate(_SCROLLS), at
        page.keyboard.press("PageDown")
    page.locator(".st-key-room-kind button").nth(2).click()
    page.locator(".st-key-room-propose button").click()
    page.locator(DRAWN).wait_for()
    page.get_by_text(re.compile("24")).first.wait_for()
    settle(page)
    assert page.evaluate(_SMALL) == []
    assert not page.evaluate(_SCROLLS)
