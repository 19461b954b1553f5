"""How many images a second does training take, against a loop as most people write it and the machine's own peak?

python -m benchmarks.throughput [--networks resnet-20,resnet-56] [--data D] [--rounds 5] [--json]

The stock loop: a torchvision data set of PIL images, RandomCrop, RandomHorizontalFlip, ToTensor, Normalize, a
DataLoader with the better of 0 and 2 workers, float32, contiguous, plain SGD, `.item()` at every step, on all cores.
Ours: as the engine lays the work out, as many trainings side by side as the machine has slots, each in a process with
its share of the cores; images a second are those of all. One alone is told too. Same network, images and batch. All
take turns, so that a busy neighbour hurts each; the figures are medians. The peak is that of `torch.mm`; training is
counted as 3 x 2 x multiply-adds an image.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.command import parsed
from explorer.config import TrainingConfig, network
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.device import ALLOCATOR, Device, device, make_repeatable
from explorer.networks.build import build
from explorer.records import StepRecord
from explorer.summary import summary
from explorer.training import train

BATCH = 128
STEPS = 20  # of a timed window
_SIDES = (1024, 2048)


class PilImages(Dataset[tuple[torch.Tensor, int]]):
    """The training images as torchvision's CIFAR10 hands them out."""

    def __init__(self, images: ImageSet) -> None:
        self.pixels = images.train_images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = images.train_labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def stock(name: str, images: ImageSet, workers: int, kind: str) -> Callable[[], float]:
    """A function that trains STEPS steps in the stock way and says how many images a second that were."""
    model = build(network(name)).to(kind)
    loader = DataLoader(PilImages(images), BATCH, shuffle=True, num_workers=workers, drop_last=True,
                        persistent_workers=workers > 0)  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    batches = endless(loader)

    def window() -> float:
        model.train()
        began = time.perf_counter()
        for pixels, labels in islice(batches, STEPS):
            _stock_step(model, optimizer, pixels.to(kind), labels.to(kind))
        return STEPS * BATCH / (time.perf_counter() - began)

    return window


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    """Its batches, epoch after epoch."""
    while True:
        yield from loader


def _stock_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, pixels: torch.Tensor, labels: torch.Tensor
) -> float:
    optimizer.zero_grad()
    outputs = model(pixels)
    loss = functional.cross_entropy(outputs, labels)
    loss.backward()
    optimizer.step()
    return loss.item() + float((outputs.argmax(1) != labels).sum().item())


class Trainer:
    """A training in a process of its own that goes on for a window whenever it is told to."""

    def __init__(self, name: str, data: str) -> None:
        command = [sys.executable, "-m", "benchmarks.throughput", "--networks", name, "--data", data, "--window"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=ALLOCATOR | os.environ
        )

    def start(self) -> None:
        """Begin a window."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")

    def speed(self) -> float:
        """Images a second of the window, once it is over."""
        assert self.process.stdout is not None
        return float(self.process.stdout.readline())


def windows(name: str, images: ImageSet, machine: Device) -> None:
    """What a Trainer's process does: a line in, a window of the program's own training, its speed out."""
    make_repeatable(machine.threads)
    config = replace(TrainingConfig(), batch_size=BATCH, test_images=100, clean_images=100, evaluations=1, steps=10**6)
    precision = machine.precision("auto")
    records = train(build(network(name)), images, config, seed=0, device=machine.kind, precision=precision)
    steps = (record for record in records if isinstance(record, StepRecord))
    for _ in sys.stdin:
        print(next(steps).images_per_second, flush=True)


def together(trainers: Sequence[Trainer]) -> float:
    """Images a second of all, a window side by side."""
    for trainer in trainers:
        trainer.start()
    return sum(trainer.speed() for trainer in trainers)


def peak(kind: str, precision: str) -> float:
    """Floating-point operations a second of a matrix product, the best of two sizes and several tries."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    best = 0.0
    for side in _SIDES:
        a, b = (torch.rand(side, side, dtype=dtype, device=kind) for _ in range(2))
        for _ in range(8):
            began = time.perf_counter()
            torch.mm(a, b)
            if kind == "cuda":
                torch.cuda.synchronize()
            best = max(best, 2 * side**3 / (time.perf_counter() - began))
    return best


def measure(name: str, data: str, images: ImageSet, machine: Device, rounds: int) -> dict[str, Any]:
    """All loops in turns; the first turn of each only warms up."""
    trainers = [Trainer(name, data) for _ in range(machine.slots)]
    loops = {"stock-0": stock(name, images, 0, machine.kind), "stock-2": stock(name, images, 2, machine.kind),
             "ours": partial(together, trainers), "alone": partial(together, trainers[:1])}  # fmt: skip
    found: dict[str, list[float]] = {loop: [] for loop in loops}
    peaks = []
    for turn in range(rounds + 1):
        for loop, window in loops.items():
            speed = window()
            if turn:
                found[loop].append(speed)
        peaks.append(peak(machine.kind, machine.precision("auto")))
        sys.stderr.write(f"{name} turn {turn}: " + ", ".join(f"{k} {v[-1]:.0f}" for k, v in found.items() if v) + "\n")
    for trainer in trainers:
        trainer.process.kill()
    speeds = {loop: statistics.median(values) for loop, values in found.items()}
    best_stock = max(speeds["stock-0"], speeds["stock-2"])
    return {
        "images_per_second": speeds["ours"],
        "alone_images_per_second": speeds["alone"],
        "stock_images_per_second": best_stock,
        "ratio_to_stock": speeds["ours"] / best_stock,
        "fraction_of_peak": 6 * summary(network(name)).macs * speeds["ours"] / statistics.median(peaks),
        "peak_gflops": statistics.median(peaks) / 1e9,
    }


def main() -> None:
    """Print the figures of every network and of the machine."""
    options = parsed(
        __doc__, networks={"default": "resnet-20,resnet-56"}, data={"default": "auto"},
        rounds={"type": int, "default": 5}, window={"action": "store_true", "help": argparse.SUPPRESS},
    )  # fmt: skip
    machine, images = device(), sources.load(options.data)
    if options.window:
        return windows(options.networks, images, machine)
    found: dict[str, Any] = {
        name: measure(name, options.data, images, machine, options.rounds) for name in options.networks.split(",")
    }
    found["machine"] = {
        "device": machine.description,
        "torch": torch.__version__,
        "slots": machine.slots,
        "threads of each": machine.threads,
    }
    print(json.dumps(found) if options.json else json.dumps(found, indent=1))
    return None


if __name__ == "__main__":
    main()
