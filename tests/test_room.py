"""Rooms: who may do what, what each is told, and what ends by itself."""

import stat
import sys
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from explorer import passes
from explorer import room as rooms
from explorer.config import RunConfig
from explorer.errors import ExplorerError, RequestError
from explorer.presence import Guesses
from explorer.room import Rooms
from explorer.runs import QUEUED, Store
from explorer.shown import LESSON, POLL, Shown
from tests.rooms import HOURS, SHARED, Clock, code, joined


def test_codes_are_short_and_can_be_read_aloud(house: Rooms) -> None:
    codes = [code(house, house.open()) for _ in range(40)]
    assert len(set(codes)) == 40
    assert {len(one) for one in codes} == {5}
    assert not set("".join(codes)) & set("0123456789AEIOUL")
    assert len(rooms.LETTERS) ** rooms.LENGTH > 3_000_000


def test_a_code_may_be_typed_as_people_type(house: Rooms) -> None:
    presenter = house.open()
    typed = f" {code(house, presenter)[:2].lower()} {code(house, presenter)[2:]} "
    visitor = house.look(house.join(typed, "s", "a"))
    assert (visitor.code, visitor.presents) == (code(house, presenter), False)


@pytest.mark.threat("A visitor acts as the presenter, or as another visitor")
def test_a_pass_that_was_altered_is_none(house: Rooms) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    promoted = visitor.replace(passes.VISITOR, passes.PRESENTER)
    other_room = visitor.replace(code(house, visitor), code(house, house.open()))
    *said, ends, mac = visitor.split(".")
    longer = ".".join([*said, str(int(ends) + 1), mac])
    for forged in (promoted, other_room, longer, visitor[:-1] + "x", "", "....", "한글." * 100, "x" * 10_000):
        with pytest.raises(RequestError, match="not one that this server gave"):
            house.look(forged)


def test_a_secret_of_another_store_signs_nothing_here(house: Rooms, tmp_path, clock: Clock) -> None:
    with pytest.raises(RequestError, match="not one that this server gave"):
        house.look(Rooms(Store(tmp_path / "other"), clock).open())


def test_the_secret_and_the_names_are_for_the_servers_eyes(house: Rooms, store: Store) -> None:
    for name in ("room.secret", "rooms.sqlite"):
        assert stat.S_IMODE((store.folder / name).stat().st_mode) == 0o600
    assert len((store.folder / "room.secret").read_bytes()) == 32
    assert [path.name for path in store.folder.glob("room.secret*")] == ["room.secret"]


def test_a_damaged_secret_is_one_line(store: Store) -> None:
    (store.folder / "room.secret").write_bytes(b"short")
    with pytest.raises(ExplorerError, match="is damaged"):
        Rooms(store)


@pytest.mark.threat("A visitor acts as the presenter, or as another visitor")
def test_links_end_after_twelve_hours_whatever_happens_in_the_room(house: Rooms, clock: Clock) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    clock.now += 11.9 * HOURS
    house.show(presenter, Shown(LESSON, "stacking", "say"))
    house.look(visitor)
    clock.now += 0.2 * HOURS
    for signed in (presenter, visitor):
        with pytest.raises(RequestError, match="has ended"):
            house.look(signed)
    house.join(code_of(presenter), "s", "a")  # the room itself lives on: somebody did something lately


def code_of(signed: str) -> str:
    return signed.split(".")[0]


@pytest.mark.threat("Visitors are observed")
def test_a_room_survives_a_restart_and_expires_with_its_names(store: Store, clock: Clock) -> None:
    house = Rooms(store, clock)
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    house.call(visitor, "Maximiliane")
    house.ask(presenter, "stacking", ["higher", "lower"])
    house.vote(visitor, "stacking", "lower")
    again = Rooms(store, clock)
    assert again.room(presenter).names == ("Maximiliane",)
    assert again.room(visitor).shown == Shown(POLL, "stacking")
    assert again.poll(visitor, "stacking").mine == "lower"
    assert b"Maximiliane" in (store.folder / "rooms.sqlite").read_bytes()
    clock.now += 12.1 * HOURS
    with pytest.raises(RequestError, match="no such room"):
        again.join(code_of(presenter), "s", "a")
    again.clear()
    assert b"Maximiliane" not in (store.folder / "rooms.sqlite").read_bytes()


def test_a_closed_room_is_gone_for_all_and_runs_stay(house: Rooms, store: Store, tiny_run: RunConfig) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    house.own(visitor, [tiny_run.run])
    store.submit([tiny_run], "tiny")
    house.close(presenter)
    for signed in (presenter, visitor):
        with pytest.raises(RequestError, match="has ended"):
            house.room(signed)
    house.check_may_change(None, [tiny_run.run])
    assert house.taken(code_of(presenter)) == set()
    assert store.run(tiny_run.run).state == QUEUED


@pytest.mark.threat("A visitor acts as the presenter, or as another visitor")
def test_visitors_are_refused_what_is_the_presenters(house: Rooms) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    house.ask(presenter, "stacking", ["higher", "lower"])
    before = house.room(presenter)
    for act in (
        lambda: house.show(visitor, Shown(LESSON, "stacking", "say")),
        lambda: house.ask(visitor, "gradients", ["a", "b"]),
        lambda: house.reveal(visitor, "stacking"),
        lambda: house.propose(visitor, SHARED),
        lambda: house.close(visitor),
    ):
        with pytest.raises(RequestError, match="only the room's presenter"):
            act()
    assert house.room(presenter) == before
    assert not house.poll(visitor, "stacking").revealed
    for act in (lambda: house.vote(presenter, "stacking", "lower"), lambda: house.call(presenter, "me")):
        with pytest.raises(RequestError, match="only visitors"):
            act()


def test_a_presenter_of_one_room_is_nobody_in_another(house: Rooms) -> None:
    mine, yours = house.open(), house.open()
    house.ask(yours, "stacking", ["higher", "lower"])
    assert house.poll(mine, "stacking") is None
    house.reveal(mine, "stacking")
    assert not house.poll(yours, "stacking").revealed


def test_one_vote_each_changed_until_it_is_revealed_and_counts_only(house: Rooms) -> None:
    presenter = house.open()
    first, second, third = joined(house, presenter, 3)
    house.ask(presenter, "stacking", ["higher", "lower"])
    for signed, choice in ((first, "lower"), (second, "lower"), (first, "higher"), (third, "lower")):
        house.vote(signed, "stacking", choice)
    assert house.poll(presenter, "stacking").counts == {"higher": 1, "lower": 2}
    hidden = house.poll(second, "stacking")
    assert (hidden.votes, hidden.mine, hidden.counts, hidden.revealed) == (3, "lower", None, False)
    with pytest.raises(RequestError, match="no such answer"):
        house.vote(first, "stacking", "perhaps")
    house.reveal(presenter, "stacking")
    assert house.poll(second, "stacking").counts == {"higher": 1, "lower": 2}
    with pytest.raises(RequestError, match="no more votes"):
        house.vote(third, "stacking", "higher")
    house.ask(presenter, "stacking", ["higher", "lower"])
    assert house.poll(second, "stacking").revealed, "asked again it stands as it stood"


def test_votes_are_for_the_question_on_the_screen(house: Rooms) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    with pytest.raises(RequestError, match="no more votes"):
        house.vote(visitor, "stacking", "lower")
    house.ask(presenter, "stacking", ["higher", "lower"])
    house.ask(presenter, "gradients", ["vanish", "healthy"])
    with pytest.raises(RequestError, match="no more votes"):
        house.vote(visitor, "stacking", "lower")


@pytest.mark.threat("Somebody guesses a room's code")
def test_wrong_codes_are_counted_by_session_and_by_address(house: Rooms, clock: Clock) -> None:
    presenter = house.open()
    right = code(house, presenter)

    def guess(session: str, address: str, typed: str = "WRONG") -> None:
        with pytest.raises(RequestError, match="no such room"):
            house.join(typed, session, address)

    for _ in range(5):
        guess("one", "10.0.0.1")
    with pytest.raises(RequestError, match="too many"):
        house.join(right, "one", "10.0.0.1")
    house.join(right, "another", "10.0.0.1")
    for number in range(25):
        guess(f"many {number}", "10.0.0.1")
    with pytest.raises(RequestError, match="too many"):
        house.join(right, "yet another", "10.0.0.1")
    house.join(right, "elsewhere", "10.0.0.2")
    clock.now += 61
    house.join(right, "one", "10.0.0.1")
    guess("one", "10.0.0.1")
    assert len(house._guesses._wrong) == 2, "what is a minute old is forgotten"


@pytest.mark.threat("Somebody guesses a room's code")
def test_guesses_at_the_same_time_are_all_counted() -> None:
    guesses, failed = Guesses(), []

    def guess(one: int) -> None:
        try:
            for number in range(3_000):
                guesses.wrong(f"{one} {number}", "10.0.0.1", now=float(number))
                with suppress(RequestError):
                    guesses.check(f"{one} {number}", "10.0.0.1", now=float(number))
        except Exception as error:
            failed.append(error)

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=guess, args=(one,)) for one in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(usual)
    assert failed == []


def test_what_comes_in_is_bounded(house: Rooms) -> None:
    presenter = house.open()
    (visitor,) = joined(house, presenter)
    house.call(visitor, "  <b>\x00\u202e Kim \n" + "x" * 10_000)
    (name,) = house.room(presenter).names
    assert name == "<b> Kim " + "x" * 16
    for act in (
        lambda: Shown("page"),
        lambda: Shown(LESSON, "../../etc"),
        lambda: Shown(LESSON, "x" * 65),
        lambda: Shown("runs", "a " * 11),
        lambda: house.ask(presenter, "stacking", ["one"]),
        lambda: house.ask(presenter, "stacking", [str(i) for i in range(9)]),
        lambda: house.ask(presenter, "stacking", ["<script>", "b"]),
        lambda: house.ask(presenter, "x" * 65, ["a", "b"]),
        lambda: replace(SHARED, seeds=16),
        lambda: replace(SHARED, seeds=0),
        lambda: replace(SHARED, recipe="/etc/passwd.toml"),
        lambda: replace(SHARED, factor="location"),
        lambda: replace(SHARED, networks=("plain-9",)),
        lambda: replace(SHARED, networks=("plain-8:width=4",) * 2),
        lambda: replace(SHARED, values=("2",)),
        lambda: replace(SHARED, values=("much",)),
        lambda: house.join("x" * 10**6, "s", "a"),
    ):
        with pytest.raises(RequestError):
            act()


def test_only_so_many_rooms_and_people(house: Rooms, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MOST_ROOMS", 2)
    monkeypatch.setattr(rooms, "MOST_PEOPLE", 2)
    presenter = house.open()
    house.open()
    with pytest.raises(RequestError, match="2 rooms are open"):
        house.open()
    joined(house, presenter, 2)
    with pytest.raises(RequestError, match="room is full"):
        joined(house, presenter)
    clock.now += 12.1 * HOURS
    house.open()


def test_who_is_here_is_whose_page_asks(house: Rooms, clock: Clock) -> None:
    presenter = house.open()
    first, second = joined(house, presenter, 2)
    assert house.room(presenter).here == 2
    clock.now += 25
    house.standing(first)
    clock.now += 10
    assert house.room(presenter).here == 1
    house.leave(first)
    assert house.room(presenter).here == 0
    assert house.room(presenter).names == ()
    assert house.room(second).here == 1


def test_pages_change_only_when_what_they_show_does(house: Rooms) -> None:
    presenter = house.open()
    first, second = joined(house, presenter, 2)
    everyone = (presenter, first, second)

    def changed(act) -> list[bool]:
        before = [house.standing(signed) for signed in everyone]
        act()
        return [house.standing(signed) != was for signed, was in zip(everyone, before, strict=True)]

    assert changed(lambda: None) == [False, False, False]
    assert changed(lambda: house.ask(presenter, "stacking", ["higher", "lower"])) == [True, True, True]
    assert changed(lambda: house.vote(first, "stacking", "lower")) == [True, False, False]
    assert changed(lambda: house.reveal(presenter, "stacking")) == [True, True, True]
    step = Shown(LESSON, "stacking", "show")
    assert changed(lambda: house.show(presenter, step)) == [True, True, True]
    assert changed(lambda: house.show(presenter, step)) == [False, False, False]
    assert changed(lambda: house.propose(presenter, SHARED)) == [True, True, True]
    assert changed(lambda: house.store.submit([house.take(first, 0, 0)], "shapes")) == [True, True, False]
    assert changed(lambda: house.store.claim(0)) == [True, True, False]
