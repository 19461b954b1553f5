"""The driver: hands what a store has queued for Ray to trainers on the nodes, and keeps what they tell. One a store.

    python -m explorer.engines.ray_driver FOLDER ADDRESS CPUS GPUS [KEEP [TURN]]

It runs beside the store, outlives the server, and ends when nothing is left. Nodes need no file of it: runs, images and
states are sent to them, and records, states and weights come back as they are made. Whatever dies, a node, a trainer or
this process, the store has all that was told by then, and the run goes on from the state that was kept last.
"""

import sys
import threading
import time
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from explorer.engines.ray import Cluster
from explorer.engines.ray_trainer import Trainer, source
from explorer.engines.slots import hold_ray
from explorer.engines.stream import ENDS, KEEP_SECONDS, Failed, images, keep, ordered
from explorer.errors import ExplorerError
from explorer.jobs import TURN_SECONDS
from explorer.runs import PAUSED, RAY, RUNNING, Run, Store

_LOOK_SECONDS = 0.25
_FIRST_SLOT = 100  # below are those of this machine's own workers
_MOST_SEATS = 256
_MOST_FAILURES = 8  # trainers that died before they could begin, one after the other, a second apart


def main(store: Store, cluster: Cluster, keep_seconds: float, turn_seconds: float) -> None:
    """Work the queue empty. Raises ExplorerError where the cluster cannot be used."""
    lock = hold_ray(store, wait=0.1)
    if lock is not None:
        with lock:
            _connect(cluster)
            _Driver(store, cluster, keep_seconds, turn_seconds).work()


def _connect(cluster: Cluster) -> None:
    """Join a cluster, with the token that all its nodes share."""
    try:
        cluster.reach()
    except OSError as error:
        raise ExplorerError(error.strerror or str(error)) from error
    try:
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    except (RayError, ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0].partition(". ")[0]
        raise ExplorerError(f"{reason}: is this machine a node of it, with the cluster's token?") from error


class _GoneError(Exception):
    """The trainer was ended, or died."""


class _Driver:
    """Seats at the cluster, each a thread with a trainer of its own."""

    def __init__(self, store: Store, cluster: Cluster, keep_seconds: float, turn_seconds: float) -> None:
        self.store, self.cluster = store, cluster
        self.keep_seconds, self.turn_seconds = keep_seconds, turn_seconds
        share = {"num_cpus": cluster.cpus, "num_gpus": cluster.gpus}
        self.actor = ray.remote(**share, concurrency_groups={"control": 1})(Trainer)
        self.source = source()
        self.seats: dict[int, threading.Thread] = {}
        self.waiting: set[int] = set()
        """Seats whose trainer has not begun yet."""
        self.looking_at: dict[int, str] = {}
        """Which images the trainer of a seat has."""
        self.failures, self.problem = 0, ""
        self._images: dict[str, Any] = {}
        self._loading = threading.Lock()

    def work(self) -> None:
        """Take seats while runs wait, as many as the cluster has; until all have been given back."""
        while True:
            self.seats = {slot: seat for slot, seat in self.seats.items() if seat.is_alive()}
            queued = self.store.queued(RAY)
            if not queued and not self.seats:
                return
            if self.failures >= _MOST_FAILURES and not self.seats:
                raise ExplorerError(self.problem)
            if self.failures < _MOST_FAILURES:
                self._take(min(queued - len(self.waiting), self._capacity() - len(self.seats)))
            time.sleep(_LOOK_SECONDS)

    def _capacity(self) -> int:
        """How many trainers fit on the nodes there are; one at least, which then waits."""
        seats = 0.0
        for node in ray.nodes():
            if node["Alive"]:
                there = node["Resources"]
                asked = {"CPU": self.cluster.cpus, "GPU": self.cluster.gpus}
                seats += min(int(there.get(what, 0) / share + 1e-6) for what, share in asked.items() if share)
        return max(1, min(int(seats), _MOST_SEATS))

    def _take(self, count: int) -> None:
        free = (slot for slot in range(_FIRST_SLOT, _FIRST_SLOT + _MOST_SEATS) if slot not in self.seats)
        for _, slot in zip(range(count), free, strict=False):
            self.waiting.add(slot)
            self.seats[slot] = threading.Thread(target=self._seat, args=(slot,), daemon=True)
            self.seats[slot].start()

    def _seat(self, slot: int) -> None:
        """One trainer, from run to run, until none waits or it dies."""
        trainer = self.actor.remote(self.cluster.cpus, self.cluster.gpus)
        try:
            if self._has_begun(slot, trainer):
                while run := self.store.claim(slot, RAY):
                    self._train(slot, trainer, run)
        except (_GoneError, RayError) as error:
            self.store.recover(slot, RAY)
            if slot in self.waiting:
                self._failed(error)
        finally:
            self.waiting.discard(slot)
            self.looking_at.pop(slot, None)
            ray.kill(trainer)

    def _has_begun(self, slot: int, trainer: Any) -> bool:
        """Wait until the trainer has a place; not if meanwhile nothing waits for one."""
        asked = trainer.source.remote()
        while self.store.queued(RAY):
            ready, _ = ray.wait([asked], timeout=_LOOK_SECONDS)
            if ready:
                if ray.get(asked) != self.source:
                    raise _GoneError("a node has another version of this program than this machine")
                self.waiting.discard(slot)
                self.failures = 0
                return True
        return False

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        self.problem = str(error).strip().splitlines()[-1]
        time.sleep(1)

    def _train(self, slot: int, trainer: Any, run: Run) -> None:
        """One run on one trainer. Raises RayError or _GoneError when that is no more."""
        try:
            order, data = ordered(self.store, run.config, self.keep_seconds), run.config.data
            if self.looking_at.get(slot) != data:
                trainer.look_at.remote(self._sent(run))
                self.looking_at[slot] = data
        except ExplorerError as error:
            keep(self.store, run.run, Failed(str(error)))
            return
        try:
            self._followed(slot, trainer, run.run, trainer.train.remote(order))
        except ExplorerError as error:  # the store cannot be written to: the training would be for nothing
            keep(self.store, run.run, Failed(str(error)))
            raise _GoneError(str(error)) from error

    def _followed(self, slot: int, trainer: Any, run: str, events: Any) -> None:
        """Keep what a training tells, to its end."""
        began = looked = time.monotonic()
        leaving = False
        while True:
            ready, _ = ray.wait([events], timeout=_LOOK_SECONDS)
            if time.monotonic() - looked > _LOOK_SECONDS or not ready:
                looked = time.monotonic()
                state = self.store.held_as(run, slot)
                if state not in (RUNNING, PAUSED):
                    raise _GoneError("stopped")
                had_its_turn = looked - began > self.turn_seconds and self.store.queued(RAY) > 0
                if not leaving and (state == PAUSED or had_its_turn):
                    leaving = True
                    trainer.leave.options(concurrency_group="control").remote()
            if ready:
                told = next(events, None)
                if told is None:
                    raise _GoneError("it ended without a word")
                event = ray.get(told)
                keep(self.store, run, event)
                if isinstance(event, ENDS):
                    return

    def _sent(self, run: Run) -> Any:
        """A run's images, sent to the cluster once."""
        with self._loading:
            if run.config.data not in self._images:
                self._images = {run.config.data: ray.put(images(run))}  # the last set alone: it takes memory there
            return self._images[run.config.data]


if __name__ == "__main__":
    folder, address, cpus, gpus, *seconds = sys.argv[1:]
    keep_seconds, turn_seconds = [*map(float, seconds), *(KEEP_SECONDS, TURN_SECONDS)[len(seconds) :]]
    try:
        main(Store(Path(folder)), Cluster(address, float(cpus), float(gpus)), keep_seconds, turn_seconds)
    except ExplorerError as error:
        sys.exit(str(error))
