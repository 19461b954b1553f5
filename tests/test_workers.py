"""How many workers there are, and what one hears while it trains."""

import time
from pathlib import Path

import pytest

from explorer.config import RunConfig
from explorer.device import LARGEST_SLOTS
from explorer.engines import local, slots, worker
from explorer.engines.local import LocalEngine
from explorer.engines.stream import Failed, Order, stream
from explorer.errors import ExplorerError
from explorer.runs import RUNNING, STOPPED, Store
from explorer.training import Training


class _Process:
    def poll(self) -> None:
        return None


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that workers were started for; none is."""
    found: list[Path] = []

    def start(folder: Path, _: object) -> _Process:
        found.append(folder)
        return _Process()

    monkeypatch.setattr(local, "_start", start)
    return found


@pytest.mark.parametrize("told", [1, 2, 4])
def test_there_are_as_many_workers_as_one_of_them_said_the_device_has_room_for(
    store: Store, tiny_run: RunConfig, started: list[Path], told: int
) -> None:
    slots.tell(store, told)
    store.submit([RunConfig(tiny_run.network, tiny_run.training, tiny_run.data, seed) for seed in range(6)], "shapes")
    engine = LocalEngine(store)
    for _ in range(3):
        engine.tend()
    assert len(started) == told


def test_before_a_worker_has_said_it_there_are_as_many_as_cores(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "usable_cores", lambda: 3)
    assert slots.count(store) == 3
    monkeypatch.setattr(slots, "usable_cores", lambda: 64)
    assert slots.count(store) == LARGEST_SLOTS
    slots.tell(store, 1)
    assert slots.count(store) == 1


def test_what_a_dead_worker_left_in_a_slot_of_a_larger_machine_goes_on(
    store: Store, tiny_run: RunConfig, started: list[Path]
) -> None:
    store.submit([tiny_run], "shapes")
    assert store.claim(slot=3)
    slots.tell(store, 1)
    LocalEngine(store).tend()
    assert store.queued() == 1
    assert len(started) == 1


def test_a_store_that_is_busy_for_a_moment_leaves_no_run_deaf(
    store: Store, tiny_run: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = store.submit([tiny_run], "shapes")
    run = store.claim(slot=0)
    assert run
    asked: list[str] = []

    def held_as(_: Store, run: str, slot: int) -> str:
        asked.append(run)
        if len(asked) == 1:
            raise ExplorerError("the database is locked")
        return RUNNING if len(asked) < 4 else STOPPED

    monkeypatch.setattr(Store, "held_as", held_as)
    monkeypatch.setattr(worker, "_LOOK_SECONDS", 0.01)
    work = worker._Work(store, run, 0, turn_seconds=60)
    with worker._watched(work):
        time.sleep(5)
    assert work.lost.is_set()
    assert len(asked) >= 4


def test_a_mistake_of_the_program_is_told_as_what_it_is(
    store: Store, tiny_run: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a dead worker, thrice, and then a lack of memory."""

    def advance(_: Training) -> list[object]:
        raise IndexError("Target 9 is out of bounds.\nmore")

    monkeypatch.setattr(Training, "advance", advance)
    from explorer.data import sources
    from explorer.device import device

    *_, last = stream(Order(tiny_run, None, None), sources.load("shapes"), device(), lambda: False)
    assert last == Failed("IndexError: Target 9 is out of bounds.")
