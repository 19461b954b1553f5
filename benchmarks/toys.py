"""How long does each toy take to answer, on one core?

python -m benchmarks.toys [--times 7] [--json]

Median seconds of what a view of the pages Toys and Related work computes when it is first looked at; the images are
noise, whose values cost the same.
"""

import json
import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.command import parsed
from explorer.config import network
from explorer.measurement.deep_linear import deep_linear
from explorer.measurement.multigrid import multigrid
from explorer.measurement.propagation import propagation
from explorer.measurement.shattering import shattering

NETWORKS = ("plain-{}", "resnet-{}", "plain-{}:bn=off", "resnet-{}:bn=off", "skipinit-{}")


def linear() -> None:
    """All depths, 300 steps."""
    deep_linear()


def shattered() -> None:
    """Both families at all depths."""
    for family in ("plain", "resnet"):
        shattering(family, depth=50, networks=5)


def signals(depth: int) -> None:
    """Five networks of one depth."""
    images = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for name in NETWORKS:
        propagation(network(name.format(depth)), images)


def main() -> None:
    """Print the medians."""
    options = parsed(__doc__, times={"type": int, "default": 7})
    torch.set_num_threads(1)
    toys: dict[str, Callable[[], object]] = {"deep-linear": linear, "shattering": shattered}
    toys["multigrid 1024"] = lambda: multigrid(1024, 3)
    toys |= {f"propagation {depth}": lambda depth=depth: signals(depth) for depth in (20, 32, 56, 110)}
    found = {name: statistics.median(_seconds(toy) for _ in range(options.times)) for name, toy in toys.items()}
    print(json.dumps(found) if options.json else "\n".join(f"{name:<16} {took:.2f} s" for name, took in found.items()))


def _seconds(toy: Callable[[], object]) -> float:
    began = time.perf_counter()
    toy()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
