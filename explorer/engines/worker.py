"""A worker process: takes runs from the store's queue, one after the other, until none is left.

    python -m explorer.engines.worker FOLDER

It outlives the page that asked for it, and the server. What it needs to know lies in the store: a run that is no
longer its own (stopped, deleted) it leaves within a second.
"""

import _thread
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from explorer import device as devices
from explorer.checkpoints import save
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.data.prepared import prepared
from explorer.engines.slots import hold
from explorer.errors import ExplorerError
from explorer.networks.build import build
from explorer.records import Provenance
from explorer.runs import DONE, FAILED, Run, Store
from explorer.training import train

_LOOK_SECONDS = 0.25


def main(folder: Path) -> None:
    """Hold a slot, work the queue empty, give the slot back."""
    store, machine = Store(folder), devices.device()
    devices.make_repeatable(machine.threads)
    for slot in range(machine.slots):
        lock = hold(store, slot, wait=0.1)
        if lock is not None:
            with lock:
                while run := store.claim(slot):
                    _work(store, run, slot, machine)
            return


def _work(store: Store, run: Run, slot: int, machine: devices.Device) -> None:
    try:
        _train(store, run, slot, machine)
    except ExplorerError as error:
        store.finish(run.run, FAILED, str(error))
    except MemoryError:
        store.finish(run.run, FAILED, "out of memory: try a smaller network or batch")
    except RuntimeError as error:  # torch: out of device memory, numbers that are none, ...
        store.finish(run.run, FAILED, str(error).splitlines()[0][:300])


def _train(store: Store, run: Run, slot: int, machine: devices.Device) -> None:
    config, began = run.config, time.perf_counter()
    precision = machine.precision(config.training.precision)
    images = _images(run)
    network = build(config.network, config.seed)
    provenance = Provenance(
        "live", machine.description, precision, _now(), devices.versions(), images.description, seconds=0.0
    )
    store.set_provenance(run.run, provenance)
    with _interrupted_when_lost(store, run.run, slot) as lost:
        for record in train(
            network, images, config.training, seed=config.seed, device=machine.kind, precision=precision
        ):
            store.append(run.run, record)
    normalization = prepared(images, config.training).normalization
    save(store.checkpoint(run.run), config, network, normalization)
    seconds = time.perf_counter() - began
    store.set_provenance(run.run, replace(provenance, date=_now(), seconds=seconds))
    if not lost.is_set():
        store.finish(run.run, DONE)


def _images(run: Run) -> ImageSet:
    images = sources.load(run.location)
    if images.name != run.config.data:
        raise ExplorerError(f"the images in {run.location} are now {images.name}, not {run.config.data}: start anew")
    return images


@contextmanager
def _interrupted_when_lost(store: Store, run: str, slot: int) -> Iterator[threading.Event]:
    """Leave the block early, with the event set, once the run is no longer this worker's."""
    lost, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if lost.is_set() or not store.is_held(run, slot):
                lost.set()
                _thread.interrupt_main()  # again and again: an interrupt inside a destructor goes unheard

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lost
    except KeyboardInterrupt:
        if not lost.is_set():
            raise
    finally:
        over.set()
        _join(watcher)


def _join(watcher: threading.Thread) -> None:
    """Wait for the watcher; an interrupt that arrives only now has nothing left to end."""
    try:
        watcher.join()
        time.sleep(0)
    except KeyboardInterrupt:
        watcher.join()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
