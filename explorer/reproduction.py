"""The paper's CIFAR-10 experiment (section 4.2, Table 6, Fig. 6): which runs, and how long each may take."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.data.image_set import ImageSet
from explorer.device import Device, finish
from explorer.errors import RequestError
from explorer.jobs import cost
from explorer.networks.build import build
from explorer.recipes import RECIPES, in_steps
from explorer.runs import DONE, Run
from explorer.training import Training

NETWORKS = (
    "resnet-110", "plain-56", "resnet-56", "plain-44", "resnet-44", "plain-32", "resnet-32", "plain-20", "resnet-20",
)  # fmt: skip
"""The deepest first, so that the longest does not begin last."""
PAPER = RECIPES["paper"].training
_SHARE = 0.85  # of the budget, by the calibration: evaluations and neighbours take the rest
_UNTIMED_STEPS, _CALIBRATION_STEPS = 5, 6  # in the fourth a GPU's steps are captured
_FEWEST = 100


def training_for(network: NetworkConfig, steps: int) -> TrainingConfig:
    """The paper's recipe as it applies to this network, its schedule scaled to so many iterations."""
    return replace(RECIPES["paper"], training=in_steps(steps)).training_for(network)


def configs(networks: Sequence[NetworkConfig], seeds: Sequence[int], data: str, steps: int) -> list[RunConfig]:
    """The runs, seed by seed."""
    return [RunConfig(network, training_for(network, steps), data, seed) for seed in seeds for network in networks]


def begun(runs: Iterable[Run], networks: Sequence[NetworkConfig], seeds: Sequence[int], data: str) -> int | None:
    """The iterations of such an experiment that was begun and not ended, so that it goes on as it began."""
    steps = [
        run.config.training.steps
        for run in runs
        if run.state != DONE and run.config in configs(networks, seeds, data, run.config.training.steps)
    ]
    return max(steps, default=None)


def affordable_steps(wanted: Sequence[RunConfig], images: ImageSet, machine: Device, seconds: float) -> int:
    """Iterations of each run that fit into so many seconds together, judged by a few of the costliest's."""
    rate = max(_seconds_a_step(config, images, machine) / _cost_a_step(config) for config in _extremes(wanted))
    every = rate * sum(map(_cost_a_step, wanted)) / machine.slots
    steps = _rounded(min(PAPER.steps, int(_SHARE * seconds / every)))
    if steps < _FEWEST:
        raise RequestError(
            f"{seconds / 60:.0f} minutes allow {steps} iterations of {len(wanted)} runs on {machine.description}: "
            "choose fewer networks or seeds, or more minutes"
        )
    return steps


def _extremes(wanted: Sequence[RunConfig]) -> list[RunConfig]:
    ordered = sorted(wanted, key=_cost_a_step)
    return list(dict.fromkeys([ordered[0], ordered[-1]]))


def _cost_a_step(config: RunConfig) -> float:
    return cost(replace(config, training=training_for(config.network, PAPER.steps))) / PAPER.steps


def _seconds_a_step(config: RunConfig, images: ImageSet, machine: Device) -> float:
    training = Training(
        build(config.network, config.seed), images, replace(config.training, test_images=100, clean_images=100),
        device=machine.kind, precision=machine.precision(config.training.precision),
    )  # fmt: skip
    while training.done < _UNTIMED_STEPS:
        training.advance()
    finish(machine.kind)
    began = time.perf_counter()
    for _ in range(_CALIBRATION_STEPS):
        training.advance()
    finish(machine.kind)
    return (time.perf_counter() - began) / _CALIBRATION_STEPS


def _rounded(steps: int) -> int:
    """Down to two digits, so that a name can carry it: 7,318 becomes 7,300."""
    unit: int = 10 ** max(0, len(str(steps)) - 2)
    return steps // unit * unit
