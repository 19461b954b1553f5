"""Slots: how many trainings run at once on this machine, held as file locks that die with their process."""

from filelock import FileLock, Timeout

from explorer.runs import RAY, Store


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
