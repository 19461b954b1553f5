"""Does an independent loop reach the errors that this program records? Same data, network and recipe, all else its own.

python -m benchmarks.stock [--steps 8000] [--data D] [--seed 0] [--state FILE] [--json]

ResNet-20 as section 4.2 reads, written here; torchvision's transforms on PIL images, Normalize, a DataLoader, float32,
contiguous, torch's SGD and MultiStepLR. Of this program it uses what reads the images from disk, nothing more. Half an
hour to an hour on two CPU cores; the paper's 64,000 steps take five, so that --state names a file from which the same
command goes on (with another order of the images than without a pause: a statistical check, not one bit for bit).
"""

import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from benchmarks.command import parsed
from benchmarks.throughput import BATCH, PilImages, endless
from explorer.data import sources

MEAN, STD = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
TOLD = 200  # steps between two lines of progress
KEPT = 1000  # steps between two states on disk


class StockBlock(nn.Module):
    """Two 3x3 layers and the identity; zeros for new channels."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.new = stride, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        return functional.relu(out + functional.pad(shortcut, (0, 0, 0, 0, 0, self.new)))


class StockResNet20(nn.Sequential):
    """Section 4.2 with n = 3."""

    def __init__(self) -> None:
        places = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        blocks = [StockBlock(*place) for place in places]
        super().__init__(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def error(model: nn.Module, pixels: Tensor, labels: Tensor) -> float:
    """The fraction of (N, 3, 32, 32) uint8 images that the model is wrong about."""
    mistakes = 0
    with torch.no_grad():
        for some, of_them in zip(pixels.split(500), labels.split(500), strict=True):
            normalised = (some.float() / 255 - MEAN[:, None, None]) / STD[:, None, None]
            mistakes += int((model.eval()(normalised).argmax(1) != of_them).sum())
    return mistakes / len(labels)


def kept(path: Path, step: int, seconds: float, parts: dict[str, Any]) -> None:
    """Write a state; a kill on the way leaves the one before."""
    new = path.with_name(f"{path.name}.new")
    torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step, "seconds": seconds}, new)
    new.replace(path)


def gone_on(path: Path, parts: dict[str, Any]) -> tuple[int, float]:
    """Put a state's contents into the parts; its step and the seconds that it took so far."""
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state["step"], state["seconds"]


def main() -> None:
    """Train, and print the errors at the end."""
    options = parsed(
        __doc__, data={"default": "auto"}, steps={"type": int, "default": 8000}, seed={"type": int, "default": 0},
        state={"type": Path},
    )  # fmt: skip
    torch.manual_seed(options.seed)
    images, model = sources.load(options.data), StockResNet20()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [options.steps // 2, options.steps * 3 // 4])
    parts, done, before = {"model": model, "optimizer": optimizer, "schedule": schedule}, 0, 0.0
    if options.state and options.state.exists():
        done, before = gone_on(options.state, parts)
        torch.manual_seed(options.seed + done)  # not the first images once more
    loader = DataLoader(PilImages(images), BATCH, shuffle=True, num_workers=1, drop_last=True, persistent_workers=True)
    began = time.perf_counter() - before
    for step, (pixels, labels) in enumerate(islice(endless(loader), options.steps - done), done + 1):
        loss = functional.cross_entropy(model.train()(pixels), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % TOLD == 0:
            sys.stderr.write(f"{step} of {options.steps}: loss {loss.item():.3f}\n")
        if options.state and step % KEPT == 0:
            kept(options.state, step, time.perf_counter() - began, parts)
    found = {
        "steps": options.steps,
        "test_error": error(model, images.test_images, images.test_labels),
        "training_error": error(model, images.train_images, images.train_labels),
        "seconds": time.perf_counter() - began,
    }
    print(json.dumps(found, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
