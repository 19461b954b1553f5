"""A worker process: takes runs from the store's queue, one after the other, until none is left.

    python -m explorer.engines.worker FOLDER [KEEP [TURN]]

It outlives the page that asked for it, and the server. What it needs to know lies in the store: a run that is no
longer its own (stopped, deleted) it leaves within a second; one that is to rest, or that has had its turn while others
wait, it leaves after the step, with its state kept. KEEP seconds lie between two states kept on the way, TURN seconds
a run may go on while others wait.
"""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer import device as devices
from explorer.engines import slots
from explorer.engines.stream import ENDS, KEEP_SECONDS, Event, Failed, Left, images, keep, ordered, stream
from explorer.errors import ExplorerError
from explorer.jobs import TURN_SECONDS
from explorer.runs import PAUSED, RUNNING, Run, Store

_LOOK_SECONDS = 0.25


def main(folder: Path, keep_seconds: float = KEEP_SECONDS, turn_seconds: float = TURN_SECONDS) -> None:
    """Hold a slot, work the queue empty, give the slot back."""
    # A server begun in the background of a script ignores interrupts, and so would its workers: none could be stopped
    signal.signal(signal.SIGINT, signal.default_int_handler)
    devices.give_way()
    store, machine = Store(folder), devices.device()
    devices.make_repeatable(machine.threads)
    slots.tell(store, machine.slots)
    for slot in range(machine.slots):
        lock = slots.hold(store, slot, wait=0.1)
        if lock is not None:
            with lock:
                while run := store.claim(slot):
                    work = _Work(store, run, slot, turn_seconds)
                    end = _trained(work, machine, keep_seconds)
                    if not work.lost.is_set():
                        keep(store, run.run, end)
            return


class _Work:
    """One run in one slot: what its steps and its watcher share."""

    def __init__(self, store: Store, run: Run, slot: int, turn_seconds: float) -> None:
        self.store, self.run, self.slot, self.turn_seconds = store, run, slot, turn_seconds
        self.began = time.monotonic()
        self.lost, self.over = threading.Event(), threading.Event()
        self.leave = threading.Event()
        """To be left after this step, with the state kept."""

    def watch(self) -> None:
        """Look again and again whether the run is still ours to train."""
        while not self.over.wait(_LOOK_SECONDS):
            try:
                state = self.store.held_as(self.run.run, self.slot)
                others_wait = bool(self.store.queued())
            except ExplorerError:  # a busy disk; if it stays so, the next record ends the run
                continue
            if self.lost.is_set() or state not in (RUNNING, PAUSED):
                self.lost.set()
                _thread.interrupt_main()  # again and again: an interrupt inside a destructor goes unheard
            elif state == PAUSED or (time.monotonic() - self.began > self.turn_seconds and others_wait):
                self.leave.set()


def _trained(work: _Work, machine: devices.Device, keep_seconds: float) -> Event:
    """Train and keep what comes of it, but for how it ended: that is kept once nothing can interrupt any more."""
    end: Event = Left()
    try:
        seen, order = images(work.run), ordered(work.store, work.run.config, keep_seconds)
        with _watched(work):
            for event in stream(order, seen, machine, work.leave.is_set):
                if isinstance(event, ENDS):
                    end = event
                else:
                    keep(work.store, work.run.run, event)
    except ExplorerError as error:
        end = Failed(str(error))
    return end


@contextmanager
def _watched(work: _Work) -> Iterator[None]:
    """Leave the block early once the run is no longer this worker's."""
    watcher = threading.Thread(target=work.watch, daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if not work.lost.is_set():
            raise
    finally:
        work.over.set()
        _join(watcher)


def _join(watcher: threading.Thread) -> None:
    """Wait for the watcher; an interrupt that arrives only now has nothing left to end."""
    try:
        watcher.join()
        time.sleep(0)
    except KeyboardInterrupt:
        watcher.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(float, sys.argv[2:]))
