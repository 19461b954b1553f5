"""The experiment that a room shares: who takes which part, and whose runs are whose."""

import threading
from dataclasses import replace

import pytest

from explorer.config import RunConfig
from explorer.errors import RequestError
from explorer.room import Rooms
from explorer.runs import DONE, FAILED, STOPPED, Store
from explorer.shown import EXPERIMENT, Shown
from tests.rooms import SHARED, code, joined


@pytest.mark.threat("A visitor stops or deletes another's run, or takes its place in an experiment")
def test_cells_are_given_once_seed_by_seed(house: Rooms, store: Store) -> None:
    presenter = house.open()
    house.propose(presenter, SHARED)
    people = joined(house, presenter, 3)
    taken = []
    for signed in people[:2]:
        taken.append(house.take(signed, 1, 1))
        store.submit([taken[-1]], "shapes")
    assert [(one.network.name, one.seed) for one in taken] == [
        ("resnet-8:width=4,dropout=0.5", 0),
        ("resnet-8:width=4,dropout=0.5", 1),
    ]
    assert {one.run for one in taken} <= {one.run for one in SHARED.sweep.runs}
    with pytest.raises(RequestError, match="taken"):
        house.take(people[2], 1, 1)
    with pytest.raises(RequestError, match="one at a time"):
        house.take(people[0], 0, 0)
    for wrong in ((2, 0), (0, 2), (-1, 0), (0, -1)):
        with pytest.raises(RequestError, match="no such training"):
            house.take(people[2], *wrong)
    assert house.taken(code(house, presenter)) == {one.run for one in taken}
    assert house.mine(people[1]) == [taken[1].run]
    assert store.ahead(taken[1].run) == 1
    store.stop([taken[0].run])
    assert house.take(people[2], 1, 1) == taken[0], "what was stopped is free again"
    assert store.ahead(taken[0].run) is None


def test_a_cell_that_failed_is_an_answer_and_one_done_before_is_answered_at_once(house: Rooms, store: Store) -> None:
    presenter = house.open()
    house.propose(presenter, SHARED)
    (visitor,) = joined(house, presenter)
    known = SHARED.cells(0, 0)[0]
    store.submit([known], "shapes")
    store.claim(0)
    store.finish(known.run, DONE)
    assert house.take(visitor, 0, 0) == known
    store.submit([known], "shapes")
    assert store.run(known.run).state == DONE
    broken = house.take(visitor, 0, 1)
    store.submit([broken], "shapes")
    store.claim(0)
    store.finish(broken.run, FAILED, "no number any more")
    assert house.take(visitor, 0, 1) != broken


def test_two_who_take_the_same_at_once_get_two(house: Rooms) -> None:
    presenter = house.open()
    house.propose(presenter, SHARED)
    people = joined(house, presenter, 6)
    got: list[str] = []
    refused: list[str] = []

    def take(signed: str) -> None:
        try:
            got.append(house.take(signed, 0, 0).run)
        except RequestError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=take, args=(signed,)) for signed in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 2
    assert len(refused) == 4


def test_without_an_experiment_on_the_screen_nothing_can_be_taken(house: Rooms) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    with pytest.raises(RequestError, match="no experiment"):
        house.take(visitor, 0, 0)
    house.propose(presenter, SHARED)
    assert house.room(visitor).shown == Shown(EXPERIMENT)
    assert house.room(visitor).experiment == SHARED
    house.show(presenter, Shown())
    with pytest.raises(RequestError, match="no experiment"):
        house.take(visitor, 0, 0)


@pytest.mark.threat("A visitor stops or deletes another's run, or takes its place in an experiment")
def test_nobody_but_the_presenter_changes_anothers_run(house: Rooms, tiny_run: RunConfig) -> None:
    presenter, stranger = house.open(), house.open()
    first, second = joined(house, presenter, 2)
    run, free = tiny_run.run, replace(tiny_run, seed=1).run
    house.own(first, [run])
    for signed in (second, stranger, None):
        with pytest.raises(RequestError, match="another's"):
            house.check_may_change(signed, [free, run])
        house.check_may_change(signed, [free])
    for signed in (first, presenter):
        house.check_may_change(signed, [free, run])
    with pytest.raises(RequestError, match="not one that this server gave"):
        house.check_may_change("forged", [run])


def test_a_run_is_its_first_owners(house: Rooms, store: Store, tiny_run: RunConfig) -> None:
    presenter = house.open()
    first, second = joined(house, presenter, 2)
    house.own(first, [tiny_run.run])
    store.submit([tiny_run], "tiny")
    house.own(second, [tiny_run.run])
    house.check_may_change(first, [tiny_run.run])
    with pytest.raises(RequestError, match="another's"):
        house.check_may_change(second, [tiny_run.run])
    store.stop([tiny_run.run])
    assert store.run(tiny_run.run).state == STOPPED


def test_a_visitor_has_four_trainings_under_way_at_most(house: Rooms, store: Store, tiny_run: RunConfig) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    several = [replace(tiny_run, seed=seed) for seed in range(6)]
    with pytest.raises(RequestError, match="at most 4"):
        house.own(visitor, [one.run for one in several])
    house.own(visitor, [one.run for one in several[:4]])
    store.submit(several[:4], "tiny")
    with pytest.raises(RequestError, match="4 trainings under way"):
        house.own(visitor, [several[4].run])
    store.stop([several[0].run])
    house.own(visitor, [several[4].run])
    house.own(presenter, [one.run for one in several])
