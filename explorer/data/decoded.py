"""Decoded images kept as plain arrays, so that they are read at once and shared by processes. No torch here."""

import json
import os
import shutil
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock

from explorer.data.source import Pixels
from explorer.errors import ExplorerError
from explorer.home import home

_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
_SUMMARY = "summary.json"


def decoded(name: str, decode: Callable[[], Pixels]) -> Pixels:
    """What `decode` returns, from the home if it was decoded before under this name.

    The arrays are mapped from their files, so that processes share the memory; what someone writes into them stays
    their own. A damaged copy is replaced. Where the home cannot be written to, `decode` is called each time.
    """
    try:
        folder = home() / "data" / "decoded" / name
    except ExplorerError:
        return decode()
    found = _read(folder)
    if found:
        return found
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Whoever comes second waits and reads what the first has decoded.
        with FileLock(folder.with_name(f".{name}.lock")):
            return _read(folder) or _written(folder, decode())
    except OSError:
        return decode()


def _read(folder: Path) -> Pixels | None:
    """None if it is not there, or not as it was written."""
    try:
        summary = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
        if any(_checksum(_file(folder, array)) != summary["checksums"][array] for array in _ARRAYS):
            return None
        arrays = {array: np.load(_file(folder, array), mmap_mode="c") for array in _ARRAYS}
        return Pixels(classes=tuple(summary["classes"]), **arrays)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _written(folder: Path, pixels: Pixels) -> Pixels:
    """Keep `pixels` for next time; the folder appears whole, by a rename, or not at all."""
    partial = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # left by someone who was killed; we hold the lock
        partial.mkdir()
        for array in _ARRAYS:
            np.save(_file(partial, array), getattr(pixels, array))
        checksums = {array: _checksum(_file(partial, array)) for array in _ARRAYS}
        summary = json.dumps({"classes": pixels.classes, "checksums": checksums})
        (partial / _SUMMARY).write_text(summary, encoding="utf-8")
        _replace(partial, folder)
    except OSError:  # a full disk, most likely: the images are there all the same
        shutil.rmtree(partial, ignore_errors=True)
        return pixels
    return _read(folder) or pixels


def _replace(partial: Path, folder: Path) -> None:
    damaged = folder.with_name(f".{folder.name}.damaged")
    shutil.rmtree(damaged, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.replace(folder, damaged)  # a folder cannot be renamed onto one that holds something
    os.replace(partial, folder)
    shutil.rmtree(damaged, ignore_errors=True)


def _file(folder: Path, array: str) -> Path:
    return folder / f"{array}.npy"


def _checksum(file: Path) -> int:
    """CRC-32: it is to notice accidents, within hundredths of a second for all of CIFAR-10."""
    checksum = 0
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            checksum = zlib.crc32(chunk, checksum)
    return checksum
