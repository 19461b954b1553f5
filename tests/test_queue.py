"""The queue: fair turns between those who ask, a place and a time that can be worked out by hand."""

from dataclasses import replace

import pytest

from explorer import jobs
from explorer.config import RunConfig
from explorer.jobs import Place
from explorer.records import StepRecord
from explorer.runs import DONE, LOCAL, QUEUED, RAY, Run, Store
from tests.test_runs import PROVENANCE


def _asked(store: Store, run: RunConfig, asker: str, *seeds: int, engine: str = LOCAL) -> list[str]:
    return store.submit([replace(run, seed=seed) for seed in seeds], "shapes", engine, asker)


def _served(store: Store, count: int, engine: str = LOCAL) -> list[int]:
    """The seeds of those that are taken next, each at once given back as done."""
    seeds = []
    for _ in range(count):
        run = store.claim(0, engine)
        assert run is not None
        seeds.append(run.config.seed)
        store.finish(run.run, DONE)
    return seeds


@pytest.mark.threat("Somebody floods the queue")
def test_who_comes_later_does_not_wait_for_all_that_another_asked_for(store: Store, tiny_run: RunConfig) -> None:
    _asked(store, tiny_run, "ada", 10, 11, 12, 13)
    assert _served(store, 1) == [10]
    _asked(store, tiny_run, "ben", 20, 21)
    _asked(store, tiny_run, "eve", 30)
    assert _served(store, 6) == [20, 30, 11, 21, 12, 13]


def test_each_run_knows_its_place_and_keeps_it_until_somebody_new_comes(store: Store, tiny_run: RunConfig) -> None:
    ada = _asked(store, tiny_run, "ada", 10, 11, 12)
    ben = _asked(store, tiny_run, "ben", 20, 21)
    foreseen = [store.run(run).config.seed for run in store.queue()]
    assert foreseen == [10, 20, 11, 21, 12]
    assert [store.ahead(run) for run in (*ada, *ben)] == [0, 2, 4, 1, 3]
    assert _served(store, 5) == foreseen
    assert store.ahead(ada[0]) is None


def test_a_run_that_yields_lets_others_through_and_then_has_its_turn_again(store: Store, tiny_run: RunConfig) -> None:
    """Not behind all that another has in the queue: behind one of them."""
    (long,) = _asked(store, tiny_run, "ada", 10)
    store.claim(0)
    _asked(store, tiny_run, "ben", 20, 21, 22)
    store.yield_turn(long)
    assert store.run(long).state == QUEUED
    assert _served(store, 4) == [20, 10, 21, 22]


def test_each_engine_has_a_queue_of_its_own(store: Store, tiny_run: RunConfig) -> None:
    _asked(store, tiny_run, "ada", 10, 11)
    _asked(store, tiny_run, "ada", 12, engine=RAY)
    _asked(store, tiny_run, "ben", 20, engine=RAY)
    assert [store.run(run).config.seed for run in store.queue(RAY)] == [12, 20]
    assert _served(store, 2, RAY) == [12, 20]
    assert _served(store, 2) == [10, 11]


def _finished(store: Store, tiny_run: RunConfig) -> list[Run]:
    """One that took three seconds."""
    (run,) = _asked(store, tiny_run, "", 99)
    store.claim(0)
    store.set_provenance(run, PROVENANCE)
    store.finish(run, DONE)
    return [store.run(run)]


def test_when_a_run_begins_is_when_a_slot_is_free(store: Store, tiny_run: RunConfig) -> None:
    """Two slots; one run has half of its steps after 4 s and so 4 s left, of the other nothing is known but that runs
    take 3 s. The first that waits begins after 3 s, the second after 4, the third when the first ends, after 6."""
    finished = _finished(store, tiny_run)
    first, *_ = runs = _asked(store, tiny_run, "ada", 0, 1, 2, 3, 4)
    for slot in range(2):
        store.claim(slot)
    store.append(first, StepRecord(1, tiny_run.training.steps // 2, 1.0, 2.0, 0.9, 0.1, 100.0, 4.0))
    found = jobs.places(store, LOCAL, finished, slots=2)
    assert list(found) == runs[2:]
    assert [place.number for place in found.values()] == [1, 2, 3]
    assert [place.seconds for place in found.values()] == pytest.approx([3.0, 4.0, 6.0])


def test_nobody_waits_longer_than_a_turn_for_a_long_run(store: Store, tiny_run: RunConfig) -> None:
    finished = _finished(store, tiny_run)
    endless = replace(tiny_run, training=replace(tiny_run.training, steps=6_000_000))
    _asked(store, endless, "ada", 0, 1)
    store.claim(0)
    (short,) = _asked(store, tiny_run, "ben", 2)
    found = jobs.places(store, LOCAL, finished, slots=1)
    assert found[short] == Place(1, jobs.TURN_SECONDS)
    assert [place.seconds for place in found.values()] == pytest.approx([60.0, 63.0])


def test_a_free_slot_means_at_once_and_without_a_measure_no_time_is_told(store: Store, tiny_run: RunConfig) -> None:
    assert jobs.places(store, LOCAL, [], slots=2) == {}
    finished = _finished(store, tiny_run)
    first, second = _asked(store, tiny_run, "ada", 0, 1)
    unknown = {first: Place(1, None), second: Place(2, None)}
    assert jobs.places(store, LOCAL, [], slots=2) == unknown
    assert jobs.places(store, LOCAL, finished, slots=None) == unknown
    assert jobs.places(store, LOCAL, finished, slots=2) == {first: Place(1, 0.0), second: Place(2, 0.0)}
