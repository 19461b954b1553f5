"""How this program uses SQLite: each question opens the file, and a change is made whole or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 20  # while another process writes


@contextmanager
def connected(path: Path, *settings: str) -> Iterator[sqlite3.Connection]:
    """An open file whose rows answer by name; `settings` as PRAGMA takes them. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")
        yield connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The only writer meanwhile; what the block did is undone if it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
