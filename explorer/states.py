"""The state of a training on disk: complete in, complete out.

Two files a run, the newest state and the one before. A state that was damaged is known by its checksum, and the one
before it is used. The store deletes both once the run is done or deleted. A packed state can travel.
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


def pack(state: State) -> bytes:
    """A state as bytes, its checksum before it."""
    buffer = io.BytesIO()
    buffer.write(bytes(_DIGEST))
    torch.save(state, buffer)
    content = buffer.getbuffer()
    content[:_DIGEST] = hashlib.sha256(content[_DIGEST:]).digest()
    return bytes(content)


def unpack(packed: bytes) -> State | None:
    """A packed state; None if it was damaged, or holds code: none is run."""
    content = memoryview(packed)
    with suppress(UnpicklingError):
        if _is_whole(content):
            state: State = torch.load(io.BytesIO(content[_DIGEST:]), map_location="cpu", weights_only=True)
            return state
    return None


def write(path: Path, packed: bytes) -> None:
    """Keep a packed state; on the disk when this returns."""
    files.replace(path, packed, before=before(path))


def read(path: Path) -> bytes | None:
    """The newest whole state, packed; None if there is none."""
    for file in (path, before(path)):
        with suppress(OSError):
            packed = file.read_bytes()
            if _is_whole(memoryview(packed)):
                return packed
    return None


def before(path: Path) -> Path:
    """Where the state before the newest lies."""
    return path.with_suffix(".before")


def _is_whole(content: memoryview) -> bool:
    return hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]
