"""A worker process: takes runs from the store's queue, one after the other, until none is left.

    python -m explorer.engines.worker FOLDER [KEEP [TURN]]

It outlives the page that asked for it, and the server. What it needs to know lies in the store: a run that is no
longer its own (stopped, deleted) it leaves within a second; one that is to rest, or that has had its turn while others
wait, it leaves after the step, with its state kept. KEEP seconds lie between two states kept on the way, TURN seconds
a run may go on while others wait.
"""

import _thread
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer import device as devices
from explorer import recordings, states
from explorer.checkpoints import save
from explorer.config import RunConfig
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.engines.slots import hold
from explorer.errors import ExplorerError
from explorer.measurement.constructed import deepened
from explorer.memory import must_recompute
from explorer.networks.build import build
from explorer.networks.recompute import segment
from explorer.provenance import made_here, now
from explorer.recordings import Catalogue, Library
from explorer.runs import DONE, FAILED, PAUSED, RUNNING, Run, Store
from explorer.training import Training, kept_steps

KEEP_SECONDS = 15.0  # a state of the largest network takes a second to write, of a usual one hundredths
TURN_SECONDS = 60.0
_LOOK_SECONDS = 0.25


def main(folder: Path, keep_seconds: float = KEEP_SECONDS, turn_seconds: float = TURN_SECONDS) -> None:
    """Hold a slot, work the queue empty, give the slot back."""
    store, machine = Store(folder), devices.device()
    devices.make_repeatable(machine.threads)
    for slot in range(machine.slots):
        lock = hold(store, slot, wait=0.1)
        if lock is not None:
            with lock:
                while run := store.claim(slot):
                    _work(_Work(store, run, slot, machine, keep_seconds, turn_seconds))
            return


class _Work:
    """One run in one slot: what its steps and its watcher share."""

    def __init__(
        self, store: Store, run: Run, slot: int, machine: devices.Device, keep_seconds: float, turn_seconds: float
    ) -> None:
        self.store, self.run, self.slot, self.machine = store, run, slot, machine
        self.keep_seconds, self.turn_seconds = keep_seconds, turn_seconds
        self.precision = machine.precision(run.config.training.precision)
        self.began = self.kept = time.monotonic()
        self.lost, self.over = threading.Event(), threading.Event()
        self.leave = threading.Event()
        """To be left after this step, with the state kept."""

    def watch(self) -> None:
        """Look again and again whether the run is still ours to train."""
        while not self.over.wait(_LOOK_SECONDS):
            state = self.store.held_as(self.run.run, self.slot)
            if self.lost.is_set() or state not in (RUNNING, PAUSED):
                self.lost.set()
                _thread.interrupt_main()  # again and again: an interrupt inside a destructor goes unheard
            elif state == PAUSED or (time.monotonic() - self.began > self.turn_seconds and self.store.queued()):
                self.leave.set()


def _work(work: _Work) -> None:
    run, store = work.run.run, work.store
    try:
        _train(work)
    except ExplorerError as error:
        store.finish(run, FAILED, str(error))
    except MemoryError:
        store.finish(run, FAILED, "out of memory: try a smaller network or batch")
    except RuntimeError as error:  # torch: out of device memory, numbers that are none, ...
        store.finish(run, FAILED, str(error).splitlines()[0][:300])
    finally:
        devices.give_memory_back(work.machine.kind)


def _train(work: _Work) -> None:
    run, store, config = work.run.run, work.store, work.run.config
    images = _images(work.run)
    provenance = made_here(images.description, work.precision)
    store.set_provenance(run, provenance)
    with _watched(work):
        network = _network(store, config)
        if must_recompute(config):
            network.recompute = segment(sum(config.network.blocks))
            devices.free_at_once()
        training = Training(
            network, images, config.training, seed=config.seed, device=work.machine.kind, precision=work.precision
        )
        _go_on(work, training)
        _steps(work, training)
        if training.finished:
            save(store.checkpoint(run), config, training.network, training.data.normalization)
            store.set_provenance(run, replace(provenance, date=now(), seconds=training.seconds))
        else:
            _keep(work, training)
    if work.lost.is_set():
        return
    if training.finished:
        store.finish(run, DONE)
        store.forget_state(run)
    else:
        store.yield_turn(run)  # unless it is paused


def _network(store: Store, config: RunConfig) -> Any:
    """What training begins with: random weights, or a trained shallower network with identity layers added."""
    if not config.start:
        return build(config.network, config.seed)
    shallow = recordings.trained(Catalogue(store, Library()), config.start).network
    return deepened(shallow, config.network.depth)


def _steps(work: _Work, training: Training) -> None:
    """To the end, or to where the run is to be left."""
    kept = kept_steps(work.run.config.training)
    while not training.finished and not work.leave.is_set():
        records = training.advance()
        if training.done in kept:
            config, normalization = work.run.config, training.data.normalization
            save(work.store.checkpoint(work.run.run, training.done), config, training.network, normalization)
        if records:
            work.store.append(work.run.run, *records)
        if time.monotonic() - work.kept > work.keep_seconds:
            _keep(work, training)


def _go_on(work: _Work, training: Training) -> None:
    """From the state that was kept last, if it would lead to the same bits here."""
    kept = states.read(work.store.state(work.run.run))
    if kept and kept["made_with"] == _made_with(work):
        training.restore(kept)
    work.store.rewind(work.run.run, training.seq)


def _keep(work: _Work, training: Training) -> None:
    states.write(work.store.state(work.run.run), {**training.state(), "made_with": _made_with(work)})
    work.store.got_further(work.run.run)
    work.kept = time.monotonic()


def _made_with(work: _Work) -> dict[str, Any]:
    """On what, besides the config, the bits depend."""
    machine = work.machine
    return {
        "device": machine.description,
        "threads": machine.threads,
        "precision": work.precision,
        **devices.versions(),
    }


def _images(run: Run) -> ImageSet:
    images = sources.load(run.location)
    if images.name != run.config.data:
        raise ExplorerError(f"the images in {run.location} are now {images.name}, not {run.config.data}: start anew")
    return images


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
