"""What share of a run goes into evaluation, responses and records, not into steps?

python -m benchmarks.evaluation [--data D] [--json]

Measured for the deep network of each recipe's pair in one process as an engine starts it, with one training's share of
the cores: the median step and the evaluations themselves, then put together as the recipe does. `paper` is thus known
without its days.
"""

import json
import os
import statistics
import sys
import time
from typing import Any

import torch
from torch import nn

from benchmarks.command import parsed
from explorer.config import NetworkConfig
from explorer.data import sources
from explorer.device import ALLOCATOR, device, make_repeatable
from explorer.networks.build import build
from explorer.networks.fused import fused, rectified
from explorer.recipes import RECIPES
from explorer.training import Training

STEPS, TIMES = 30, 5


def share(recipe: str, images: Any) -> dict[str, float]:
    """Seconds of a step, of an evaluation on the way and at the end, and the evaluations' share of the whole run."""
    machine, chosen = device(), RECIPES[recipe]
    config = chosen.training

    def begun() -> Training:
        network = build(NetworkConfig(chosen.depths[1], "A", chosen.width))
        return Training(network, images, config, device=machine.kind, precision=machine.precision("auto"))

    times = 1 if recipe == "paper" else TIMES  # of the paper's minutes there are enough
    first = statistics.median(_seconds(begun(), 1) for _ in range(times))  # of the untrained network
    training = begun()
    training.advance()
    steps = statistics.median(_seconds(training, 1) for _ in range(STEPS))
    way = _evaluated(training, config.steps // config.evaluations, times) - steps
    end = _evaluated(training, config.steps, times) - steps
    evaluations = first + (config.evaluations - 1) * way + end
    whole = config.steps * steps + evaluations
    return {"step": steps, "first": first, "on the way": way, "at the end": end, "share": evaluations / whole}


def _evaluated(training: Training, step: int, times: int) -> float:
    """Median seconds of this step and the evaluation after it."""
    taken = []
    for _ in range(times):
        training.done = step - 1
        taken.append(_seconds(training, 1))
    return statistics.median(taken)


def _load_loops() -> None:
    """What a trainer loads once, whatever it does first, is no evaluation's."""
    shown = torch.zeros(2, 64, 4, 4).contiguous(memory_format=torch.channels_last)
    with fused():
        for values in (shown, shown.bfloat16()):
            rectified(nn.BatchNorm2d(64), nn.ReLU(), values.requires_grad_()).sum().backward()


def _seconds(training: Training, times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        training.advance()
    return time.perf_counter() - began


def main() -> None:
    """Print the shares."""
    options = parsed(__doc__, data={"default": "auto"})
    if not ALLOCATOR.items() <= os.environ.items():  # glibc reads it when a process begins
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.evaluation", *sys.argv[1:]], os.environ | ALLOCATOR
        )
    make_repeatable(device().threads)
    _load_loops()
    images = sources.load(options.data)
    found = {recipe: share(recipe, images) for recipe in RECIPES}
    print(json.dumps(found) if options.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
