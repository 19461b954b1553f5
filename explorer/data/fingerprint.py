"""What is known about files by their content, remembered by their path, size and time of change. No torch here."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, RequestError
from explorer.home import home
from explorer.language import tr

Facts = dict[str, Any]


def facts(files: Iterable[Path], question: str, discover: Callable[[], Facts]) -> Facts:
    """What `discover` finds out about the content of `files`, as plain JSON values.

    It is asked once, and again after a file has changed. `question` tells the askers apart; change it when the
    answer would change. A home that cannot be written to only makes it slow. Raises RequestError for a file that
    cannot be read.
    """
    listing = question, [_seen(file) for file in files]
    key = hashlib.sha256(json.dumps(listing).encode()).hexdigest()
    try:
        record = home() / "data" / "facts" / f"{key[:32]}.json"
    except ExplorerError:
        return discover()
    try:
        found: Facts = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = discover()
        _write(record, json.dumps(found))
    return found


def fingerprint(files: Iterable[tuple[str, Path]]) -> str:
    """SHA-256 (hex) of files under the names that matter to the content; where they lie is no part of it."""
    whole = hashlib.sha256()
    for name, file in files:
        whole.update(f"{digest(file, 'sha256')} {name}\n".encode())
    return whole.hexdigest()


def digest(file: Path, algorithm: str) -> str:
    """Hex digest of one file's bytes; RequestError if it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, algorithm).hexdigest()
    except OSError as error:
        raise RequestError(tr("cannot read {file}: {reason}", file=file, reason=error.strerror)) from None


def _seen(file: Path) -> tuple[str, int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise RequestError(tr("cannot read {file}: {reason}", file=file, reason=error.strerror)) from None
    return str(file.absolute()), status.st_size, status.st_mtime_ns


def _write(record: Path, text: str) -> None:
    """Whole or not at all; not at all is no harm."""
    partial = record.with_suffix(f".{os.getpid()}.part")
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(record)
    except OSError:
        return
