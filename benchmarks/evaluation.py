"""What share of a run goes into evaluation, responses and records, not into steps?

python -m benchmarks.evaluation [--data D] [--json]

Measured for the deep network of each recipe's pair in one process with one training's share of the cores: the median
step and the evaluations themselves, then put together as the recipe does. `paper` is thus known without its days.
"""

import json
import statistics
import time
from typing import Any

from benchmarks.command import parsed
from explorer.config import NetworkConfig
from explorer.data import sources
from explorer.device import device, make_repeatable
from explorer.networks.build import build
from explorer.recipes import RECIPES
from explorer.training import Training

STEPS = 30


def share(recipe: str, images: Any) -> dict[str, float]:
    """Seconds of a step, of an evaluation on the way and at the end, and the evaluations' share of the whole run."""
    machine, chosen = device(), RECIPES[recipe]
    config = chosen.training
    network = build(NetworkConfig(chosen.depths[1], "A", chosen.width))
    training = Training(network, images, config, device=machine.kind, precision=machine.precision("auto"))
    first = _seconds(training, 1)  # of the untrained network, and everything for the first time
    steps = statistics.median(_seconds(training, 1) for _ in range(STEPS))
    training.done = config.steps // config.evaluations - 1
    way = _seconds(training, 1) - steps
    training.done = config.steps - 1
    end = _seconds(training, 1) - steps
    evaluations = first + (config.evaluations - 1) * way + end
    whole = config.steps * steps + evaluations
    return {"step": steps, "first": first, "on the way": way, "at the end": end, "share": evaluations / whole}


def _seconds(training: Training, times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        training.advance()
    return time.perf_counter() - began


def main() -> None:
    """Print the shares."""
    options = parsed(__doc__, data={"default": "auto"})
    make_repeatable(device().threads)
    images = sources.load(options.data)
    found = {recipe: share(recipe, images) for recipe in RECIPES}
    print(json.dumps(found) if options.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
