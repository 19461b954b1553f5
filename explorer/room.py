"""Rooms: one presenter, visitors who know a short code, and what they do together: a poll, a shared experiment.

Rooms lie in a file of their own beside the store's, survive a restart and end twelve hours after the last action;
`clear` deletes those that have, names and votes too. Who asks shows a signed pass; whether its role may do what it asks
is looked up here, for every action, whatever the page that it came from offered.
"""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from explorer.config import RunConfig
from explorer.database import connected, transaction
from explorer.errors import ExplorerError, RequestError
from explorer.language import one_line, tr
from explorer.passes import PRESENTER, VISITOR, Pass, Signer
from explorer.presence import Guesses, Presence
from explorer.runs import ACTIVE, STOPPED, Store
from explorer.shown import EXPERIMENT, POLL, Experiment, Shown, is_name

LETTERS = "BCDFGHJKMNPQRSTVWXYZ"  # no digits and no I, L, O to take for one another; no vowels, so no words
LENGTH = 5
EXPIRES_SECONDS = 12 * 3600.0
MOST_ROOMS, MOST_PEOPLE, MOST_CHOICES = 50, 300, 8
MOST_UNDER_WAY = 4  # of a visitor's runs, a race of two depths; of the cells of an experiment one at a time
_TAKEN_SECONDS = 5.0  # between taking a cell and its run in the queue
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (
    code TEXT PRIMARY KEY, opened TEXT NOT NULL, touched REAL NOT NULL, shown TEXT NOT NULL, experiment TEXT,
    version INTEGER NOT NULL DEFAULT 0, tally INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS people (
    code TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, member TEXT NOT NULL, name TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (code, member));
CREATE TABLE IF NOT EXISTS polls (
    code TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, question TEXT NOT NULL, choices TEXT NOT NULL,
    revealed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (code, question));
CREATE TABLE IF NOT EXISTS votes (
    code TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, question TEXT NOT NULL, member TEXT NOT NULL,
    choice TEXT NOT NULL, PRIMARY KEY (code, question, member));
CREATE TABLE IF NOT EXISTS owned (
    code TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, run TEXT NOT NULL, member TEXT NOT NULL,
    taken REAL NOT NULL, PRIMARY KEY (code, run));
"""


@dataclass(frozen=True)
class Room:
    """A room as one of its members may see it."""

    code: str
    shown: Shown
    here: int
    """Visitors whose page is open."""
    names: tuple[str, ...]
    """Of those who gave one; for the presenter only."""
    experiment: Experiment | None


@dataclass(frozen=True)
class Poll:
    """A question as one of the room's members may see it."""

    question: str
    votes: int
    mine: str | None
    """The choice of who looks."""
    revealed: bool
    counts: Mapping[str, int] | None
    """By choice; for visitors only once revealed."""


class Rooms:
    """The rooms of one store. Raises RequestError, one clear line, for what somebody may not do."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store, self._clock = store, clock
        self._signer = Signer(store.folder)
        self._guesses = Guesses()
        self._presence = Presence()
        with self._connection() as connection:
            connection.executescript(_SCHEMA)
        (store.folder / "rooms.sqlite").chmod(0o600)

    # Coming and going

    def open(self) -> str:
        """A new room; the presenter's pass."""
        now, opened = self._clock(), secrets.token_hex(4)
        with self._transaction() as connection:
            self._clear(connection)
            if connection.execute("SELECT count(*) FROM rooms").fetchone()[0] >= MOST_ROOMS:
                raise RequestError(tr("{count} rooms are open on this server: close one first", count=MOST_ROOMS))
            while connection.execute("SELECT 1 FROM rooms WHERE code = ?", (code := _code(),)).fetchone():
                pass
            connection.execute(
                "INSERT INTO rooms (code, opened, touched, shown) VALUES (?, ?, ?, ?)",
                (code, opened, now, Shown().to_json()),
            )
        return self._signer.sign(code, opened, PRESENTER, now)

    def join(self, typed: str, session: str, address: str) -> str:
        """A visitor's pass for the room of this code. Who tries many wrong ones has to wait a minute."""
        code, now = "".join(typed[:40].upper().split()), self._clock()
        self._guesses.check(session, address, now)
        with self._transaction() as connection:
            room = self._room(connection, code)
            if room is None:
                self._guesses.wrong(session, address, now)
                raise RequestError(tr("there is no such room: see the code on the screen"))
            people = connection.execute("SELECT count(*) FROM people WHERE code = ?", (code,)).fetchone()[0]
            if people >= MOST_PEOPLE:
                raise RequestError(tr("the room is full: {count} have joined", count=people))
            signed = self._signer.sign(code, room["opened"], VISITOR, now)
            member = self._signer.read(signed, now).member
            connection.execute("INSERT INTO people (code, member) VALUES (?, ?)", (code, member))
            self._touch(connection, code, tally=1)
        self._presence.seen(code, member, now)
        return signed

    def look(self, signed: str) -> Pass:
        """Who shows this pass; refused where it is none, has ended, or the room has."""
        with self._reading(signed) as (_, who):
            return who

    def leave(self, signed: str) -> None:
        """A visitor goes; the name goes too."""
        with self._acting(signed) as (connection, who):
            connection.execute("DELETE FROM people WHERE code = ? AND member = ?", (who.code, who.member))
            self._touch(connection, who.code, tally=1)
        self._presence.gone(who.code, who.member)

    def close(self, signed: str) -> None:
        """The presenter ends the room, with all names and votes; runs stay in the store."""
        with self._acting(signed, PRESENTER) as (connection, who):
            connection.execute("DELETE FROM rooms WHERE code = ?", (who.code,))
        self._presence.gone(who.code)

    def call(self, signed: str, name: str) -> None:
        """A visitor's name for this room, if they want one; empty takes it away."""
        plain = one_line(name[:200], 24)
        with self._acting(signed, VISITOR) as (connection, who):
            changed = "UPDATE people SET name = ? WHERE code = ? AND member = ?"
            connection.execute(changed, (plain, who.code, who.member))
            self._touch(connection, who.code, tally=1)

    # What is shown, asked and answered

    def show(self, signed: str, shown: Shown) -> None:
        """The presenter shows something to all."""
        with self._acting(signed, PRESENTER) as (connection, who):
            if _shown(self._room(connection, who.code)) != shown:
                connection.execute("UPDATE rooms SET shown = ? WHERE code = ?", (shown.to_json(), who.code))
                self._touch(connection, who.code, version=1)

    def ask(self, signed: str, question: str, choices: Sequence[str]) -> None:
        """The presenter asks all; a question that was asked before stands as it stood."""
        if not 2 <= len(choices) <= MOST_CHOICES or not all(map(is_name, choices)):
            raise RequestError(tr("nothing in a room is called that"))
        shown = Shown(POLL, question)
        with self._acting(signed, PRESENTER) as (connection, who):
            connection.execute(
                "INSERT OR IGNORE INTO polls (code, question, choices) VALUES (?, ?, ?)",
                (who.code, question, json.dumps(list(choices))),
            )
            connection.execute("UPDATE rooms SET shown = ? WHERE code = ?", (shown.to_json(), who.code))
            self._touch(connection, who.code, version=1)

    def vote(self, signed: str, question: str, choice: str) -> None:
        """A visitor's one vote, which can be changed until the answers are revealed."""
        with self._acting(signed, VISITOR) as (connection, who):
            poll = self._poll(connection, who.code, question)
            if poll is None or poll["revealed"] or _shown(self._room(connection, who.code)) != Shown(POLL, question):
                raise RequestError(tr("this question takes no more votes"))
            if choice not in json.loads(poll["choices"]):
                raise RequestError(tr("the question has no such answer"))
            voted = "INSERT OR REPLACE INTO votes (code, question, member, choice) VALUES (?, ?, ?, ?)"
            connection.execute(voted, (who.code, question, who.member, choice))
            self._touch(connection, who.code, tally=1)

    def reveal(self, signed: str, question: str) -> None:
        """The presenter shows to all how the votes fell; from then on none is taken."""
        with self._acting(signed, PRESENTER) as (connection, who):
            connection.execute("UPDATE polls SET revealed = 1 WHERE code = ? AND question = ?", (who.code, question))
            self._touch(connection, who.code, version=1)

    def poll(self, signed: str, question: str) -> Poll | None:
        """A question, without counts for a visitor who has not been shown them; None if it was not asked."""
        with self._reading(signed) as (connection, who):
            found = self._poll(connection, who.code, question)
            if found is None:
                return None
            query = "SELECT member, choice FROM votes WHERE code = ? AND question = ?"
            votes: dict[str, str] = dict(connection.execute(query, (who.code, question)).fetchall())
        revealed, given = bool(found["revealed"]), list(votes.values())
        counts = {choice: given.count(choice) for choice in json.loads(found["choices"])}
        seen = counts if revealed or who.presents else None
        return Poll(question, len(votes), votes.get(who.member), revealed, seen)

    # The shared experiment, and whose runs are whose

    def propose(self, signed: str, experiment: Experiment) -> None:
        """The presenter shares out an experiment; what was trained of an earlier one stays in the store."""
        with self._acting(signed, PRESENTER) as (connection, who):
            changed = "UPDATE rooms SET experiment = ?, shown = ? WHERE code = ?"
            connection.execute(changed, (experiment.to_json(), Shown(EXPERIMENT).to_json(), who.code))
            self._touch(connection, who.code, version=1)

    def take(self, signed: str, network: int, value: int) -> RunConfig:
        """A free cell, the first seed of a network at a value, is now this member's, to be queued at once."""
        with self._acting(signed) as (connection, who):
            room = self._room(connection, who.code)
            experiment = _experiment(room)
            if experiment is None or _shown(room) != Shown(EXPERIMENT):
                raise RequestError(tr("no experiment is being shared now"))
            every = {config.run for config in experiment.sweep.runs}
            mine = {run for run in self._owned_by(connection, who) if run in every}
            if not who.presents and self._active(mine):
                raise RequestError(tr("your training is still under way: one at a time, so that all get their turn"))
            for config in experiment.cells(network, value):
                if self._free(connection, who.code, config.run):
                    self._keep(connection, who, [config.run])
                    return config
        raise RequestError(tr("all of these are taken: choose another"))

    def own(self, signed: str, runs: Sequence[str]) -> None:
        """These runs, about to be queued, are this member's; a visitor may have only so many under way."""
        with self._acting(signed) as (connection, who):
            before = self._active(self._owned_by(connection, who))
            if not who.presents and len(before | set(runs)) > max(MOST_UNDER_WAY, len(before)):
                raise RequestError(
                    tr("you have {count} trainings under way: wait until one has ended", count=len(before))
                    if before
                    else tr("{count} trainings at once are too many in a room: at most {most}",
                            count=len(runs), most=MOST_UNDER_WAY)
                )  # fmt: skip
            self._keep(connection, who, runs)

    def mine(self, signed: str) -> list[str]:
        """The runs that are this member's, the newest first."""
        with self._reading(signed) as (connection, who):
            query = "SELECT run FROM owned WHERE code = ? AND member = ? ORDER BY taken DESC, run"
            return [run for (run,) in connection.execute(query, (who.code, who.member))]

    def taken(self, code: str) -> set[str]:
        """The runs that somebody in a room took; none if it has ended. It is not said whose."""
        with self._connection() as connection:
            if self._room(connection, code) is None:
                return set()
            return {run for (run,) in connection.execute("SELECT run FROM owned WHERE code = ?", (code,))}

    def check_may_change(self, signed: str | None, runs: Sequence[str]) -> None:
        """Refuse who wants to stop, pause or delete runs of a room that are another's, outsiders too.

        The room's presenter may. Runs that belong to no room are anybody's.
        """
        who = self.look(signed) if signed else None
        marks = ", ".join("?" * len(runs))
        with self._connection() as connection:
            owned = connection.execute(
                f"SELECT owned.code, member FROM owned JOIN rooms USING (code) WHERE run IN ({marks}) AND touched > ?",
                (*runs, self._clock() - EXPIRES_SECONDS),
            ).fetchall()
        for code, member in owned:
            if who is None or who.code != code or not (who.presents or who.member == member):
                raise RequestError(tr("this training is another's: only they and the presenter can change it"))

    def clear(self) -> None:
        """Delete the rooms that have ended by themselves, with all names and votes."""
        with self._transaction() as connection:
            self._clear(connection)

    def _clear(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM rooms WHERE touched <= ?", (self._clock() - EXPIRES_SECONDS,))

    # As it stands

    def room(self, signed: str) -> Room:
        """The room, as who asks may see it."""
        with self._reading(signed) as (connection, who):
            row = self._room(connection, who.code)
            query = "SELECT name FROM people WHERE code = ? AND name > '' ORDER BY name"
            names = [name for (name,) in connection.execute(query, (who.code,))] if who.presents else []
        self._look_in(who)
        return Room(
            who.code, _shown(row), self._presence.count(who.code, self._clock()), tuple(names), _experiment(row)
        )

    def standing(self, signed: str) -> str:
        """Changes when what this member's page shows does; that the page asked is how it is known to be open."""
        with self._reading(signed) as (connection, who):
            row = self._room(connection, who.code)
            query = "SELECT run FROM owned WHERE code = ?" + ("" if who.presents else " AND member = ?")
            runs = [run for (run,) in connection.execute(query, (who.code, *(() if who.presents else (who.member,))))]
        self._look_in(who)
        states: list[Any] = []
        if _shown(row).kind == EXPERIMENT:
            states = [standing[:2] for standing in self.store.standing(runs)]
            states += [] if who.presents else [self.store.ahead(run) for run in runs]
        for_presenter = (row["tally"], self._presence.count(who.code, self._clock())) if who.presents else ()
        seen = repr((row["opened"], row["version"], for_presenter, states))
        return hashlib.sha256(seen.encode()).hexdigest()[:16]

    def _look_in(self, who: Pass) -> None:
        if not who.presents:
            self._presence.seen(who.code, who.member, self._clock())

    def _active(self, runs: Iterable[str]) -> set[str]:
        """Those that wait or are trained."""
        return {run for run, state, *_ in self.store.standing(list(runs)) if state in ACTIVE}

    def _free(self, connection: sqlite3.Connection, code: str, run: str) -> bool:
        """Whether nobody has this cell, or who had it stopped it, or never queued it."""
        row = connection.execute("SELECT taken FROM owned WHERE code = ? AND run = ?", (code, run)).fetchone()
        found = self.store.get(run)
        if row is None or (found and found.state == STOPPED):
            return True
        return found is None and row["taken"] < self._clock() - _TAKEN_SECONDS

    def _keep(self, connection: sqlite3.Connection, who: Pass, runs: Iterable[str]) -> None:
        """Note whose runs these are; one that somebody else of the room has under way, or finished, stays theirs."""
        for run in runs:
            if self._free(connection, who.code, run):
                row = (who.code, run, who.member, self._clock())
                connection.execute("INSERT OR REPLACE INTO owned (code, run, member, taken) VALUES (?, ?, ?, ?)", row)
        self._touch(connection, who.code, tally=1)

    @staticmethod
    def _owned_by(connection: sqlite3.Connection, who: Pass) -> set[str]:
        query = "SELECT run FROM owned WHERE code = ? AND member = ?"
        return {run for (run,) in connection.execute(query, (who.code, who.member))}

    def _room(self, connection: sqlite3.Connection, code: str) -> Any:
        """The row of a room that has not expired; None without one."""
        query = "SELECT * FROM rooms WHERE code = ? AND touched > ?"
        return connection.execute(query, (code, self._clock() - EXPIRES_SECONDS)).fetchone()

    @staticmethod
    def _poll(connection: sqlite3.Connection, code: str, question: str) -> Any:
        query = "SELECT * FROM polls WHERE code = ? AND question = ?"
        return connection.execute(query, (code, question)).fetchone()

    def _touch(self, connection: sqlite3.Connection, code: str, version: int = 0, tally: int = 0) -> None:
        """Something was done: the room lives on. `version`: all pages change by it, `tally`: the presenter's."""
        changed = "UPDATE rooms SET touched = ?, version = version + ?, tally = tally + ? WHERE code = ?"
        connection.execute(changed, (self._clock(), version, tally, code))

    def _admit(self, connection: sqlite3.Connection, signed: str, role: str | None = None) -> Pass:
        who = self._signer.read(signed, self._clock())
        room = self._room(connection, who.code)
        if room is None or room["opened"] != who.opened:
            raise RequestError(tr("this room has ended"))
        if role and who.role != role:
            raise RequestError(
                tr("only the room's presenter can do that") if role == PRESENTER else tr("only visitors can do that")
            )
        return who

    @contextmanager
    def _reading(self, signed: str) -> Iterator[tuple[sqlite3.Connection, Pass]]:
        with self._connection() as connection:
            yield connection, self._admit(connection, signed)

    @contextmanager
    def _acting(self, signed: str, role: str | None = None) -> Iterator[tuple[sqlite3.Connection, Pass]]:
        """A change by one who may make it: of this role, if one is named."""
        with self._transaction() as connection:
            yield connection, self._admit(connection, signed, role)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection, transaction(connection):
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        path = self.store.folder / "rooms.sqlite"
        try:  # a name that was deleted is not in the file any more (secure_delete)
            with connected(path, "foreign_keys = ON", "secure_delete = ON") as connection:
                yield connection
        except sqlite3.Error as error:
            raise ExplorerError(tr("{file} cannot be used ({reason})", file=path, reason=error)) from error


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def _shown(room: Any) -> Shown:
    return Shown.from_json(room["shown"])


def _experiment(room: Any) -> Experiment | None:
    return Experiment.from_json(room["experiment"]) if room["experiment"] else None
