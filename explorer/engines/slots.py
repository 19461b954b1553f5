"""Slots: how many trainings run at once on this machine, held as file locks that die with their process."""

from contextlib import suppress

from filelock import FileLock, Timeout

from explorer.device import LARGEST_SLOTS, usable_cores
from explorer.runs import RAY, Store

_COUNT = "count"


def count(store: Store) -> int:
    """How many trainings run at once here: as a worker said; before there was one, as many as there are cores.

    Who asks need not import torch to know of a GPU.
    """
    with suppress(OSError, ValueError):
        return int((store.folder / "slots" / _COUNT).read_text())
    return min(LARGEST_SLOTS, usable_cores())


def tell(store: Store, slots: int) -> None:
    """Say how many trainings run at once on this machine's device."""
    if count(store) != slots:
        folder = store.folder / "slots"
        with suppress(OSError):  # a full disk: a worker too many does no harm
            folder.mkdir(exist_ok=True)
            (folder / _COUNT).write_text(str(slots))


def hold(store: Store, slot: int, wait: float) -> FileLock | None:
    """Take a slot and hand what its last holder left running back to the queue; None if it is taken."""
    lock = _lock(store, str(slot), wait)
    if lock is not None:
        store.recover(slot)
    return lock


def hold_ray(store: Store, wait: float) -> FileLock | None:
    """Be the one who hands a store's runs to Ray, those that the last one left running too; None if there is one."""
    lock = _lock(store, RAY, wait)
    if lock is not None:
        store.recover(None, RAY)
    return lock


def _lock(store: Store, name: str, wait: float) -> FileLock | None:
    folder = store.folder / "slots"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{name}.lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
