"""The state of a training on disk: complete in, complete out.

Two files a run, the newest state and the one before. A state that was damaged is known by its checksum, and the one
before it is used. The store deletes both once the run is done or deleted.
"""

import hashlib
import io
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError

import torch

from explorer import files
from explorer.training import State

_DIGEST = hashlib.sha256().digest_size


def write(path: Path, state: State) -> None:
    """Keep a state; on the disk when this returns."""
    buffer = io.BytesIO()
    buffer.write(bytes(_DIGEST))
    torch.save(state, buffer)
    content = buffer.getbuffer()
    content[:_DIGEST] = hashlib.sha256(content[_DIGEST:]).digest()
    files.replace(path, content, before=before(path))


def read(path: Path) -> State | None:
    """The newest whole state; None if there is none. No code in it is run."""
    for file in (path, before(path)):
        with suppress(OSError, UnpicklingError):
            content = memoryview(file.read_bytes())
            if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
                state: State = torch.load(io.BytesIO(content[_DIGEST:]), map_location="cpu", weights_only=True)
                return state
    return None


def before(path: Path) -> Path:
    """Where the state before the newest lies."""
    return path.with_suffix(".before")
