"""Files that are whole or not there, whatever happens on the way."""

import os
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.language import tr


def replace(path: Path, content: bytes | memoryview, *, before: Path | None = None) -> None:
    """Put `content` in the place of a file; on the disk when this returns. The old one is kept as `before`, if given.

    Written aside, synced, renamed: a kill or a power cut leaves the old or the new file. Raises ExplorerError, and
    leaves what was there, where the disk is full.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if before and path.exists():
            os.replace(path, before)
        os.replace(unfinished, path)
        _sync(path.parent)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ExplorerError(
            tr("{file} cannot be written ({reason}): make room on the disk", file=path, reason=error.strerror)
        ) from error


def _sync(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
