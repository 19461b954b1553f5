"""Does the cost of a step grow linearly with depth, and what does it take in memory?

python -m benchmarks.depth [--depths 20,56,110,302,602,1202] [--batch 16] [--size 16] [--json]

Each depth in a process of its own, residual, 16 channels wide, on random images: seconds of a step (median), that
divided by the depth, and the peak of memory, as usual and with blocks computed again on the way back.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import torch
from torch.nn import functional

from benchmarks.command import parsed
from explorer.config import NetworkConfig
from explorer.device import autocast, device, free_at_once, make_repeatable
from explorer.networks.build import build
from explorer.networks.recompute import segment

STEPS = 5


def step(depth: int, batch: int, size: int, recompute: bool) -> dict[str, float]:
    """Seconds of a step and the process's peak of memory in bytes."""
    machine = device()
    make_repeatable(machine.threads)
    network = build(NetworkConfig(depth, "A")).to(device=machine.kind, memory_format=torch.channels_last)
    if recompute:
        free_at_once()
    network.recompute = segment(sum(network.config.blocks)) if recompute else 0
    images = torch.rand(batch, 3, size, size, device=machine.kind).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(batch, dtype=torch.int64, device=machine.kind)
    seconds = []
    for _ in range(STEPS):
        began = time.perf_counter()
        with autocast(machine.kind, machine.precision("auto")):
            outputs = network(images)
        functional.cross_entropy(outputs.float(), labels).backward()
        network.zero_grad()
        seconds.append(time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if machine.kind == "cuda":
        peak = torch.cuda.max_memory_allocated()
    return {"seconds": statistics.median(seconds[1:]), "bytes": peak}


def measured(depth: int, options: argparse.Namespace, recompute: bool) -> dict[str, float]:
    """`step` in a process of its own, since a peak of memory is for ever."""
    command = [sys.executable, "-m", "benchmarks.depth", "--one", str(depth), "--batch", str(options.batch)]
    command += ["--size", str(options.size), *(["--recompute"] if recompute else [])]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found: dict[str, float] = json.loads(said)
    return found


def main() -> None:
    """Print a row for each depth."""
    options = parsed(
        __doc__, depths={"default": "20,56,110,302,602,1202"}, batch={"type": int, "default": 16},
        size={"type": int, "default": 16}, one={"type": int, "help": argparse.SUPPRESS},
        recompute={"action": "store_true", "help": argparse.SUPPRESS},
    )  # fmt: skip
    if options.one:
        return print(json.dumps(step(options.one, options.batch, options.size, options.recompute)))
    found: dict[str, Any] = {}
    for depth in (int(part) for part in options.depths.split(",")):
        usual, again = (measured(depth, options, recompute) for recompute in (False, True))
        found[str(depth)] = {
            "seconds": usual["seconds"],
            "seconds_a_layer": usual["seconds"] / depth,
            "bytes": usual["bytes"],
            "recomputing_seconds": again["seconds"],
            "recomputing_bytes": again["bytes"],
        }
        sys.stderr.write(f"{depth}: {found[str(depth)]}\n")
    return print(json.dumps(found) if options.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
