"""Asking for runs and following them: how far, how long still, until all have ended."""

import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from explorer.config import RunConfig
from explorer.records import Record, StepRecord
from explorer.runs import ACTIVE, RUNNING, Run, Store

TURN_SECONDS = 60.0  # so long a run may go on while others wait
_POLL_SECONDS = 0.2
_START_SECONDS, _MEASURED = 5.0, 1.6e10  # all 27 blocks of resnet-56 taken away on 1,000 images: 18 s
_LAYER_SECONDS = 2e-4  # a layer with its BN and ReLU, however small the batch, on one core


class Engine(Protocol):
    """What every engine can do."""

    def tend(self) -> None:
        """See to it that what is queued gets run."""


@dataclass(frozen=True)
class Progress:
    """How far a set of runs is."""

    done: float
    """Share of the work, 0..1, each run weighted by its cost."""
    active: int
    """Runs queued or under way."""
    images_per_second: float
    """Summed over those under way."""
    device: str
    """What trains, once it is known."""


@dataclass(frozen=True)
class Place:
    """Where a run stands that waits."""

    number: int
    """1: it is the next."""
    seconds: float | None
    """Until it begins, about; None where nothing tells how fast runs go."""


def follow(store: Store, engine: Engine, runs: list[str]) -> Iterator[tuple[str, Record]]:
    """The records of several runs as they appear, until every run has ended: a race as one stream."""
    seen = dict.fromkeys(runs, -1)
    while True:
        engine.tend()
        ended = not any(store.run(run).state in ACTIVE for run in runs)
        for run in runs:
            for record in store.records(run, seen[run]):
                seen[run] = record.seq
                yield run, record
        if ended:
            return
        time.sleep(_POLL_SECONDS)


def cost(config: RunConfig) -> float:
    """What a run costs, in a unit of its own: multiply-adds of its convolutions, up to a constant."""
    training = config.training
    images = training.steps * training.batch_size
    return images * config.network.depth * config.network.width**2 * training.image_size**2


def progress(store: Store, runs: list[Run]) -> Progress:
    """How far these runs are, from their last records."""
    total = done = speed = 0.0
    device = ""
    for run in runs:
        device = run.provenance.device if run.provenance else device
        last = store.last(run.run, StepRecord) if run.state != "queued" else None
        share = 1.0 if run.state not in ACTIVE else last.step / run.config.training.steps if last else 0.0
        total += cost(run.config)
        done += share * cost(run.config)
        speed += last.images_per_second if last and run.state == RUNNING else 0.0
    active = sum(run.state in ACTIVE for run in runs)
    return Progress(done / total if total else 1.0, active, speed, device)


def remaining(store: Store, runs: list[Run]) -> float | None:
    """Seconds until these runs have ended, by the speed of those under way; None before there is one."""
    rates, left = [], 0.0
    for run in runs:
        last = store.last(run.run, StepRecord) if run.state == RUNNING else None
        share = last.step / run.config.training.steps if last else 0.0
        if run.state in ACTIVE:
            left += (1 - share) * cost(run.config)
        if last:
            rates.append(share * cost(run.config) / last.seconds)
    return left / sum(rates) if rates else None


def estimate(configs: list[RunConfig], finished: list[Run], slots: int) -> float | None:
    """Seconds that these runs will take side by side in `slots`, judged by finished ones; None without any."""
    rate = _rate(finished)
    if rate is None or not configs:
        return None
    costs = [cost(config) for config in configs]
    return max(sum(costs) / slots, max(costs)) * rate


def places(store: Store, engine: str, finished: Sequence[Run], slots: int | None) -> dict[str, Place]:
    """Where those runs stand that wait for an engine of so many `slots` (None: nobody knows how many it has).

    Each slot is free when its run has ended, or has had its turn; a run that was begun before needs the rest alone.
    """
    every, rate = {run.run: run for run in store.runs()}, _rate(finished)
    waiting = [every[run] for run in store.queue(engine) if run in every]
    if not waiting or rate is None or slots is None:
        return {run.run: Place(number, None) for number, run in enumerate(waiting, 1)}
    under_way = [run for run in every.values() if run.state == RUNNING and run.engine == engine]
    free = [_turn(store, run, rate) for run in under_way] + [0.0] * (slots - len(under_way))
    heapq.heapify(free)
    found = {}
    for number, run in enumerate(waiting, 1):
        begins = heapq.heappop(free)
        found[run.run] = Place(number, begins)
        heapq.heappush(free, begins + _turn(store, run, rate))
    return found


def _turn(store: Store, run: Run, rate: float) -> float:
    """Seconds until a run that begins or goes on now gives up its slot while others wait."""
    begun = run.state == RUNNING or run.provenance
    last = store.last(run.run, StepRecord) if begun else None
    share = last.step / run.config.training.steps if last else 0.0
    if last and run.state == RUNNING:
        rate = last.seconds / (share * cost(run.config))
    return min((1 - share) * cost(run.config) * rate, TURN_SECONDS)


def _rate(finished: Sequence[Run]) -> float | None:
    """Seconds for a unit of cost, the median of finished runs; None without any."""
    rates = sorted(
        run.provenance.seconds / cost(run.config) for run in finished if run.provenance and run.provenance.seconds
    )
    return rates[len(rates) // 2] if rates else None


def measuring(config: RunConfig, images: int, passes: float) -> float:
    """Seconds that a measurement takes which shows so many images to a run's network, so many times over.

    As measured on two CPU cores (docs/performance.md), the start of a process with torch included.
    """
    once = config.network.depth * config.network.width**2 * config.training.image_size**2
    return _START_SECONDS + images * passes * once / _MEASURED


def passing(config: RunConfig, passes: float, batch: int) -> float:
    """Seconds that so many passes of a batch of images through a run's network take, forward ones, on a page's server.

    As measured on two CPU cores (docs/performance.md). What is explained is one image, so each layer's own call counts.
    """
    once = config.network.depth * config.network.width**2 * config.training.image_size**2
    return passes * (config.network.depth * _LAYER_SECONDS + batch * once / _MEASURED)
