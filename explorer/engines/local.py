"""The local engine: worker processes on this machine, started as the queue needs them."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from explorer.device import ALLOCATOR, LARGEST_SLOTS
from explorer.engines import slots
from explorer.runs import Store


class LocalEngine:
    """Keeps enough workers alive for a store's queue. Starts nothing until `tend` finds something queued."""

    def __init__(self, store: Store, seconds: tuple[float, ...] = ()) -> None:
        """`seconds` between two states that a worker keeps, and of a run's turn, where not the worker's own."""
        self.store = store
        self.seconds = seconds
        self.workers: list[subprocess.Popen[bytes]] = []
        self._tending = threading.Lock()

    def tend(self) -> None:
        """Give back to the queue what dead workers left, and start workers for what is queued; call it often.

        A worker that finds all slots taken ends by itself, so that starting one too many does no harm.
        """
        with self._tending:
            self._tend()

    def _tend(self) -> None:
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        most, free = slots.count(self.store), 0
        for slot in range(LARGEST_SLOTS):  # also those that this machine has no use for: a dead worker may have
            lock = slots.hold(self.store, slot, wait=0)
            if lock is not None:
                lock.release()
                free += slot < most
        starting = max(0, len(self.workers) - (most - free))
        for _ in range(min(free, self.store.queued()) - starting):
            self.workers.append(_start(self.store.folder, self.seconds))


def _start(folder: Path, seconds: tuple[float, ...]) -> "subprocess.Popen[bytes]":
    """A worker in a session of its own, so that it outlives the server and a Ctrl-C meant for the server."""
    root = Path(__file__).resolve().parents[2]
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "explorer.engines.worker", str(folder), *map(str, seconds)],
            cwd=root,
            env=ALLOCATOR | os.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
