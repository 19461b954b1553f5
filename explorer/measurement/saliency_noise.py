"""How noisy is the gradient of a network's score with respect to the image? Means over many images, with intervals."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.measurement.verdict import student_t

GRAIN = 0.05
"""Standard deviation of the noise that nobody sees, in standard deviations of the image's pixels."""
_BATCH = 16
_SEED = 0


@dataclass(frozen=True)
class Mean:
    """Over images, with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class SaliencyNoise:
    """Of one network: 1 is a gradient without noise, 0 is nothing but noise."""

    images: int
    smoothness: Mean
    """Correlation of the gradient at pixels beside each other, -1..1."""
    steadiness: Mean
    """Cosine of the gradients of an image with and without noise of `GRAIN`, -1..1."""


def saliency_noise(network: nn.Module, images: Tensor, targets: Sequence[int]) -> Iterator[SaliencyNoise]:
    """What is known after each batch, of normalised images (N, 3, H, W) and the classes whose scores are taken.

    Gradients are summed over the colours, signs kept (Balduzzi et al. 2017 look at a line of inputs, Smilkov et al.
    2017 at noise). Images without any gradient are left out. The network is used in the mode it is in.
    """
    drawn = torch.Generator().manual_seed(_SEED)
    smooth: list[float] = []
    steady: list[float] = []
    for first in range(0, len(images), _BATCH):
        batch, labels = images[first : first + _BATCH], torch.tensor(targets[first : first + _BATCH])
        grain = GRAIN * batch.std(dim=(1, 2, 3), keepdim=True)
        moved = batch + grain * torch.randn(batch.shape, generator=drawn).to(batch)
        found, other = (_gradients(network, each, labels.to(batch.device)) for each in (batch, moved))
        there = (found.flatten(1).norm(dim=1) > 0) & (other.flatten(1).norm(dim=1) > 0)
        smooth += [smoothness(one.numpy()) for one in found[there]]
        steady += nn.functional.cosine_similarity(found[there].flatten(1), other[there].flatten(1)).tolist()
        if len(smooth) > 1:
            yield SaliencyNoise(len(smooth), _mean(smooth), _mean(steady))


def smoothness(values: NDArray[np.float32]) -> float:
    """Pearson's correlation of a map (H, W) at pixels above and beside each other, -1..1; 1 for a flat map."""
    pairs = [(values[:-1], values[1:]), (values[:, :-1], values[:, 1:])]
    first, second = (np.concatenate([pair[side].ravel() for pair in pairs]).astype(np.float64) for side in (0, 1))
    first, second = first - first.mean(), second - second.mean()
    sizes = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / sizes if sizes > 0 else 1.0


def _gradients(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """(N, H, W) float64 on the CPU."""
    with torch.enable_grad():
        inputs = images.detach().clone().requires_grad_()
        score = network(inputs).gather(1, targets[:, None]).sum()
        (gradients,) = torch.autograd.grad(score, inputs)
    return gradients.double().sum(dim=1).cpu()


def _mean(values: list[float]) -> Mean:
    middle, half = fmean(values), student_t(len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return Mean(middle, middle - half, middle + half)
