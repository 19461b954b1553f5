"""Errands: done once for all who ask, quick ones first, ended when nobody wants them."""

import threading
import time
from collections.abc import Callable

import pytest

from explorer.engines import errands as module
from explorer.engines.errands import WHEN_IDLE, Errand, Errands, wait


def _until(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def _endless(errand: Errand) -> None:
    """Works until it is told that nobody wants it."""
    while True:
        errand.note(0.25)
        time.sleep(0.005)


def test_work_is_done_once_for_all_who_ask() -> None:
    calls: list[int] = []
    errands = Errands(8)
    for _ in range(3):
        found = errands.ask("a", lambda _: calls.append(1) or "done", 1)
        assert wait([found], 10)
        assert found.value() == "done"
    assert calls == [1]
    assert found.share == 1.0
    assert found.remaining == 0.0


def test_what_fails_says_why_to_all_who_ask() -> None:
    errands = Errands(8)
    found = errands.ask("a", lambda _: 1 / 0, 1)
    assert wait([found], 10)
    with pytest.raises(ZeroDivisionError):
        found.value()
    assert errands.ask("a", lambda _: 1, 1) is found


def test_quick_work_does_not_wait_for_slow_work_and_the_shortest_goes_first() -> None:
    errands, order, gate = Errands(8), [], threading.Event()
    slow = errands.ask("slow", lambda _: gate.wait(20), 60)
    _until(lambda: slow.begun)
    others = [
        errands.ask(name, lambda _, name=name: order.append(name), seconds)
        for name, seconds in (("idle", WHEN_IDLE), ("longer", 30), ("long", 10))
    ]
    assert wait([errands.ask("quick", lambda _: order.append("quick"), 0.1)], 10)
    assert order == ["quick"]
    gate.set()
    assert wait(others, 10)
    assert order == ["quick", "long", "longer", "idle"]


def test_dropped_work_ends_and_begins_anew_when_it_is_asked_for_again() -> None:
    errands = Errands(8)
    found = errands.ask("a", _endless, 60)
    waiting = errands.ask("b", _endless, 70)
    _until(lambda: found.share == 0.25)
    assert found.remaining < 60
    errands.drop([found, waiting])
    again = errands.ask("a", lambda _: "anew", 1)
    assert wait([again], 10)
    assert again.value() == "anew"
    assert not found.done
    assert waiting.begun is None


@pytest.mark.threat("A visitor stops another's measurement or maps")
def test_who_stops_work_stops_it_for_themselves() -> None:
    errands, gate = Errands(8), threading.Event()

    def work(errand: Errand) -> str:
        while not gate.wait(0.005):
            errand.note(0.5)
        return "made"

    for who in ("ada", "ben"):
        found = errands.ask("a", work, 60, who)
    waiting = errands.ask("b", _endless, 70, "ada")
    _until(lambda: found.share == 0.5)
    errands.drop([found, waiting], "eve")
    errands.drop([found, waiting], "ada")
    assert (found.unwanted, waiting.unwanted) == (False, True)
    assert errands.ask("a", work, 60, "ben") is found
    gate.set()
    assert wait([found], 10)
    assert found.value() == "made"


def test_work_that_nobody_asks_for_any_more_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FORGOTTEN_SECONDS", 0.6)
    errands = Errands(8)
    left = errands.ask("left", _endless, 60)
    never = errands.ask("never", lambda _: "too late", 70)
    _until(lambda: left.unwanted)
    _until(lambda: never.unwanted)
    assert never.begun is None
    found = errands.ask("wanted", _endless, 60)
    for _ in range(100):
        time.sleep(0.01)
        assert errands.ask("wanted", _endless, 60) is found


def test_old_results_go_and_work_under_way_stays() -> None:
    errands, gate = Errands(2), threading.Event()
    under_way = errands.ask("under way", lambda _: gate.wait(20), 60)
    for name in "abc":
        assert wait([errands.ask(name, lambda _: None, 0.1)], 10)
    assert len(errands._known) == 2
    assert errands.ask("under way", _endless, 60) is under_way
    gate.set()


def test_at_the_end_of_the_program_work_under_way_ends_and_nothing_begins() -> None:
    errands = Errands(8)
    found = errands.ask("a", _endless, 60)
    waiting = errands.ask("b", _endless, 70)
    _until(lambda: found.share == 0.25)
    errands.end()
    assert not any(hand.is_alive() for hand in errands._hands)
    assert waiting.begun is None
