"""Slots: how many trainings run at once on this machine, held as file locks that die with their process."""

from filelock import FileLock, Timeout

from explorer.runs import Store


def hold(store: Store, slot: int, wait: float) -> FileLock | None:
    """Take a slot and hand what its last holder left running back to the queue; None if it is taken."""
    folder = store.folder / "slots"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{slot}.lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        return None
    store.recover(slot)
    return lock
