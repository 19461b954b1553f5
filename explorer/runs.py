"""The store: one folder with every run's config, state and records in SQLite, and the checkpoints beside it.

One process writes a run; any number read. Each operation opens its own connection, so that pages, workers and the
command line can share the folder, and a kill at any moment leaves the last committed transaction.
"""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from explorer.config import RunConfig
from explorer.database import connected, transaction
from explorer.errors import ExplorerError, RequestError
from explorer.language import one_line, tr
from explorer.records import Provenance, Record, record_from_dict, record_to_dict

QUEUED, RUNNING, PAUSED, DONE, STOPPED, FAILED = STATES = ("queued", "running", "paused", "done", "stopped", "failed")
ACTIVE = (QUEUED, RUNNING)
RESUMABLE = (PAUSED, STOPPED, FAILED)
MOST_DEATHS, _NAME = 3, 80  # letters of a name
_Kind = TypeVar("_Kind")
LOCAL, RAY = "local", "ray"  # the engines: worker processes on this machine, a Ray cluster

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, config TEXT NOT NULL, location TEXT NOT NULL, state TEXT NOT NULL,
    label TEXT NOT NULL DEFAULT '', provenance TEXT, message TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL, slot INTEGER, attempts INTEGER NOT NULL DEFAULT 0, turn INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    run TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID;
"""
_UPGRADES = (
    _SCHEMA,
    "ALTER TABLE runs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0",
    f"ALTER TABLE runs ADD COLUMN engine TEXT NOT NULL DEFAULT '{LOCAL}'",
    "ALTER TABLE runs ADD COLUMN asker TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE runs ADD COLUMN served INTEGER NOT NULL DEFAULT 0",
)
_VERSION = len(_UPGRADES)
# Fair turns: who was served longest ago is next. `served` counts up with each run that an engine takes.
_QUEUE = f"""
SELECT run FROM
    (SELECT run, last, row_number() OVER (PARTITION BY asker ORDER BY turn) AS nth,
     min(turn) OVER (PARTITION BY asker) AS first FROM runs
     JOIN (SELECT asker, max(served) AS last FROM runs WHERE engine = :engine GROUP BY asker) USING (asker)
     WHERE state = '{QUEUED}' AND engine = :engine)
ORDER BY nth, last, first"""


@dataclass(frozen=True)
class Run:
    """A run as it stands: what was asked for, how far it is, where its numbers come from."""

    config: RunConfig
    state: str
    location: str
    """Where its images lie on this machine; empty if not known (a recording)."""
    label: str
    """The name a person gave it, or the network's and the seed."""
    provenance: Provenance | None
    """None until it started."""
    message: str
    """Why it failed, in one line."""
    created: float
    """Seconds since 1970."""
    engine: str = LOCAL
    asker: str = ""
    """A mark of who asked for it, to tell them from others; empty: whoever works at this machine."""

    @property
    def run(self) -> str:
        """The run's identity."""
        return self.config.run


class Store:
    """Runs in one folder. Raises ExplorerError, one clear line, where the folder cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        with _clear_errors(folder):
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            with self._connection() as connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > _VERSION:
                    raise ExplorerError(
                        tr(
                            "the store in {folder} was written by a newer version: update, or set EXPLORER_HOME",
                            folder=folder,
                        )
                    )
                if version < _VERSION:  # else nothing is written: a full disk can still be read
                    self._upgrade()

    def submit(self, configs: Iterable[RunConfig], location: str, engine: str = LOCAL, asker: str = "") -> list[str]:
        """Queue what is neither done nor under way, in this order; what was begun goes on. All identities."""
        runs = []
        with self._transaction() as connection:
            last = connection.execute("SELECT coalesce(max(turn), 0) FROM runs").fetchone()[0]
            for turn, config in enumerate(configs, last + 1):
                connection.execute(
                    "INSERT INTO runs (run, config, location, state, created, turn, engine, asker)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (run) DO UPDATE SET state = excluded.state, turn = excluded.turn,"
                    " location = excluded.location, engine = excluded.engine, asker = excluded.asker,"
                    " message = '', deaths = 0 WHERE state IN (?, ?, ?)",
                    (config.run, config.to_json(), location, QUEUED, time.time(), turn, engine, asker, *RESUMABLE),
                )
                runs.append(config.run)
        return runs

    def claim(self, slot: int, engine: str = LOCAL) -> Run | None:
        """Take the first of an engine's queue; its trainer calls `rewind` before it goes on."""
        with self._transaction() as connection:
            row = connection.execute(
                "UPDATE runs SET state = :running, slot = :slot, attempts = attempts + 1,"
                f" served = (SELECT max(served) + 1 FROM runs) WHERE run = ({_QUEUE} LIMIT 1) RETURNING *",
                {"running": RUNNING, "slot": slot, "engine": engine},
            ).fetchone()
        return _run(row) if row else None

    def rewind(self, run: str, seq: int) -> None:
        """Forget what was recorded after `seq`: it will be recorded again, the same."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM records WHERE run = ? AND seq > ?", (run, seq))

    def recover(self, slot: int | None, engine: str = LOCAL) -> None:
        """Give back to the queue what a dead worker of `slot` (None: of any) left running.

        A run whose workers died several times without getting further has failed.
        """
        with self._transaction() as connection:
            message = f"its worker died {MOST_DEATHS} times: too little memory? Try a smaller network or batch"
            connection.execute(
                "UPDATE runs SET deaths = deaths + 1, state = CASE WHEN deaths + 1 < ? THEN ? ELSE ? END,"
                " message = CASE WHEN deaths + 1 < ? THEN '' ELSE ? END"
                " WHERE state = ? AND engine = ? AND slot = coalesce(?, slot)",
                (MOST_DEATHS, QUEUED, FAILED, MOST_DEATHS, message, RUNNING, engine, slot),
            )

    def got_further(self, run: str) -> None:
        """A state of the run was kept, so that it lost nothing by earlier deaths of its workers."""
        with self._transaction() as connection:
            connection.execute("UPDATE runs SET deaths = 0 WHERE run = ? AND deaths > 0", (run,))

    def append(self, run: str, *records: Record) -> None:
        """Keep records; the same (run, seq) twice is kept once."""
        with self._transaction() as connection:
            self._insert(connection, run, records)

    def set_provenance(self, run: str, provenance: Provenance) -> None:
        """Say where a run's numbers come from."""
        with self._transaction() as connection:
            connection.execute("UPDATE runs SET provenance = ? WHERE run = ?", (json.dumps(asdict(provenance)), run))

    def finish(self, run: str, state: str, message: str = "") -> None:
        """End a run as done or failed; one that was stopped meanwhile stays stopped."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE runs SET state = ?, message = ? WHERE run = ? AND state IN (?, ?)",
                (state, message, run, RUNNING, PAUSED),
            )

    def stop(self, runs: Iterable[str]) -> None:
        """Ask for runs to end: a queued one never starts, a running one's worker leaves it within a second."""
        self._move(runs, (*ACTIVE, PAUSED), STOPPED)

    def pause(self, runs: Iterable[str]) -> None:
        """Ask for runs to rest: a running one's worker ends its step, keeps the state and leaves it."""
        self._move(runs, ACTIVE, PAUSED)

    def resume(self, runs: Iterable[str]) -> None:
        """Queue again what was paused, stopped or failed; it goes on from the state that was kept last."""
        self._move(runs, RESUMABLE, QUEUED)

    def yield_turn(self, run: str) -> None:
        """Put a running run behind all that are queued."""
        self._move([run], (RUNNING,), QUEUED)

    def add(
        self,
        config: RunConfig,
        provenance: Provenance,
        records: Iterable[Record],
        label: str,
        location: str = "",
    ) -> None:
        """Keep a finished run that was made elsewhere; `location` is where images like its own lie, if known."""
        made = json.dumps(asdict(provenance))
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO runs (run, config, location, state, label, provenance, created, turn)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (config.run, config.to_json(), location, DONE, one_line(label, _NAME), made, time.time()),
            )
            connection.execute("DELETE FROM records WHERE run = ?", (config.run,))
            self._insert(connection, config.run, records)

    def rename(self, run: str, label: str) -> None:
        """Give a run a name of one's own; an empty one takes it away."""
        with self._transaction() as connection:
            connection.execute("UPDATE runs SET label = ? WHERE run = ?", (one_line(label, _NAME), run))

    def delete(self, run: str) -> None:
        """Remove a run, its records and its checkpoint; one under way must be stopped first."""
        if self.run(run).state in ACTIVE:
            raise RequestError(tr("run {run} is under way: stop it before deleting it", run=run))
        with self._transaction() as connection:
            connection.execute("DELETE FROM records WHERE run = ?", (run,))
            connection.execute("DELETE FROM runs WHERE run = ?", (run,))
        for path in self.checkpoints.glob(f"{run}*"):
            path.unlink(missing_ok=True)

    def forget_state(self, run: str) -> None:
        """Delete what a run that is done needs no more."""
        for pattern in (f"{run}.state*", f"{run}.before"):
            for path in self.checkpoints.glob(pattern):
                path.unlink(missing_ok=True)

    def run(self, run: str) -> Run:
        """One run by its identity; an unknown one is refused."""
        found = self.get(run)
        if found is None:
            raise RequestError(
                tr("no run {run} in {folder}: `runs list` shows those there are", run=run, folder=self.folder)
            )
        return found

    def get(self, run: str) -> Run | None:
        """One run by its identity, None if it was never asked for."""
        with self._reading() as connection:
            row = connection.execute("SELECT * FROM runs WHERE run = ?", (run,)).fetchone()
        return _run(row) if row else None

    def held_as(self, run: str, slot: int) -> str | None:
        """The state of a run that the worker of `slot` took last; None if another has it now, or it was deleted."""
        with self._reading() as connection:
            row = connection.execute("SELECT state FROM runs WHERE run = ? AND slot = ?", (run, slot)).fetchone()
        return row["state"] if row else None

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        with self._reading() as connection:
            return [_run(row) for row in connection.execute("SELECT * FROM runs ORDER BY created DESC, turn DESC")]

    def queued(self, engine: str = LOCAL) -> int:
        """How many runs wait for an engine."""
        with self._reading() as connection:
            query = "SELECT count(*) FROM runs WHERE state = ? AND engine = ?"
            return int(connection.execute(query, (QUEUED, engine)).fetchone()[0])

    def active(self, engine: str) -> int:
        """How many runs an engine has to see to: queued or under way."""
        with self._reading() as connection:
            query = "SELECT count(*) FROM runs WHERE state IN (?, ?) AND engine = ?"
            return int(connection.execute(query, (*ACTIVE, engine)).fetchone()[0])

    def queue(self, engine: str = LOCAL) -> list[str]:
        """The runs that wait for an engine, the next first: in turns between those who asked, as things stand."""
        with self._reading() as connection:
            return [run for (run,) in connection.execute(_QUEUE, {"engine": engine})]

    def ahead(self, run: str) -> int | None:
        """How many runs its engine takes before this one; None if it does not wait."""
        found = self.get(run)
        queue = self.queue(found.engine) if found and found.state == QUEUED else []
        return queue.index(run) if run in queue else None

    def newest(self, run: str) -> tuple[int, int]:
        """A run's attempt and the seq of its newest record (-1: none): changes whenever there are more records."""
        with self._reading() as connection:
            query = "SELECT attempts, (SELECT max(seq) FROM records WHERE run = runs.run) FROM runs WHERE run = ?"
            attempt, seq = connection.execute(query, (run,)).fetchone() or (0, None)
        return attempt, -1 if seq is None else seq

    def standing(self, runs: Sequence[str]) -> list[tuple[str, str, int, int]]:
        """Of these runs their identity, state, attempt and the seq of the newest record, in one look."""
        marks = ", ".join("?" * len(runs))
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT run, state, attempts, (SELECT max(seq) FROM records WHERE run = runs.run)"
                f" FROM runs WHERE run IN ({marks}) ORDER BY run",
                list(runs),
            ).fetchall()
        return [(run, state, attempts, -1 if seq is None else seq) for run, state, attempts, seq in rows]

    def records(self, run: str, after: int = -1) -> list[Record]:
        """A run's records with seq above `after`, in order."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT body FROM records WHERE run = ? AND seq > ? ORDER BY seq", (run, after)
            ).fetchall()
        return [record_from_dict(json.loads(row["body"])) for row in rows]

    def last(self, run: str, kind: type[_Kind]) -> _Kind | None:
        """A run's newest record of a kind; None before there is one."""
        with self._reading() as connection:
            for row in connection.execute("SELECT body FROM records WHERE run = ? ORDER BY seq DESC", (run,)):
                if isinstance(record := record_from_dict(json.loads(row["body"])), kind):
                    return record
        return None

    def checkpoint(self, run: str, step: int | None = None) -> Path:
        """Where a run's trained network lies, or would; with `step`, as it was after so many steps."""
        return self.checkpoints / (f"{run}.pt" if step is None else f"{run}-{step}.pt")

    def kept_steps(self, run: str) -> list[int]:
        """After how many steps, before the end, the network was kept too."""
        return sorted(int(path.stem.partition("-")[2]) for path in self.checkpoints.glob(f"{run}-*.pt"))

    def state(self, run: str) -> Path:
        """Where the state of an unfinished training lies, or would."""
        return self.checkpoints / f"{run}.state"

    def bytes_used(self) -> int:
        """What the store takes on disk."""
        with _clear_errors(self.folder):
            return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _upgrade(self) -> None:
        with self._transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version < _VERSION:  # nobody else did it meanwhile
                for statement in ";".join(_UPGRADES[version:]).split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _move(self, runs: Iterable[str], states: Sequence[str], to: str) -> None:
        """Change the state of those runs that are in one of `states`; what goes to the queue goes to its end."""
        marks = ", ".join("?" * len(states))
        with self._transaction() as connection:
            for run in runs:
                connection.execute(
                    f"UPDATE runs SET state = ?, message = '', deaths = CASE WHEN state = ? THEN deaths ELSE 0 END,"
                    f" turn = (SELECT max(turn) + 1 FROM runs) WHERE run = ? AND state IN ({marks})",
                    (to, RUNNING, run, *states),
                )

    @staticmethod
    def _insert(connection: sqlite3.Connection, run: str, records: Iterable[Record]) -> None:
        connection.executemany(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
            [(run, record.seq, json.dumps(record_to_dict(record))) for record in records],
        )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        path = self.folder / "runs.sqlite"
        with connected(path, "journal_mode = WAL", "synchronous = NORMAL") as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _clear_errors(self.folder), self._connection() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _clear_errors(self.folder), self._connection() as connection, transaction(connection):
            yield connection


def _run(row: sqlite3.Row) -> Run:
    config = RunConfig.from_json(row["config"])
    provenance = Provenance(**json.loads(row["provenance"])) if row["provenance"] else None
    how = " · constructed start" if config.start else ""
    label = row["label"] or f"{config.network.name}{how} · seed {config.seed}"
    rest = (row["message"], row["created"], row["engine"], row["asker"])
    return Run(config, row["state"], row["location"], label, provenance, *rest)


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        free = shutil.disk_usage(_existing(folder)).free // 2**20
        raise ExplorerError(
            tr(
                "the store in {folder} cannot be used ({reason}; {free} MB free): make room or make it writable, or "
                "set EXPLORER_HOME to another folder",
                folder=folder,
                reason=reason,
                free=free,
            )  # fmt: skip
        ) from error


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
