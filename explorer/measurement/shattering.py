"""Do neighbouring inputs get similar gradients? Shattered gradients (Balduzzi et al. 2017), in untrained networks.

Fully connected ReLU networks from one number to one number. Their derivative is carried forward together with the
value, which for one input costs as much as the value and needs no graph.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

WIDTH, POINTS, LAGS = 200, 256, 15
_EDGE = 2.0
"""The grid goes from -2 to 2, as in the paper's figure 1."""
_EPSILON = 1e-6


@dataclass(frozen=True)
class Shattering:
    """What networks of one family and of 1, 2, … ReLU layers do; one entry a depth."""

    family: str
    inputs: tuple[float, ...]
    """The grid."""
    gradients: tuple[tuple[float, ...], ...]
    """Of the first network's output with respect to its input, along the grid, by its root mean square."""
    correlations: tuple[tuple[float, ...], ...]
    """Autocorrelation of the gradient, 0, 1, … LAGS points apart, over all networks."""

    @property
    def neighbours(self) -> tuple[float, ...]:
        """The correlation of points beside each other, for each depth."""
        return tuple(lags[1] for lags in self.correlations)


class Dual(NamedTuple):
    """Values for every input of the grid, and their derivatives with respect to it; both of one shape."""

    value: Tensor
    slope: Tensor


def shattering(family: str, depth: int, networks: int, scale: float = 1.0) -> Shattering:
    """Gradients of `networks` networks (seeds 0, 1, …) of 1 … `depth` layers; `family` and `scale` as in `outputs`.

    Only a gradient's course matters here, so each is divided by its root mean square over the grid.
    """
    found = [torch.stack([output.slope for output in outputs(family, depth, scale, seed)]) for seed in range(networks)]
    slopes = torch.stack(found)
    gradients = slopes / slopes.square().mean(-1, keepdim=True).sqrt()
    correlations = [autocorrelation(at_depth) for at_depth in gradients.transpose(0, 1)]
    return Shattering(family, tuple(grid().tolist()), tuple(map(tuple, gradients[0].tolist())), tuple(correlations))


def outputs(family: str, depth: int, scale: float = 1.0, seed: int = 0) -> Iterator[Dual]:
    """What networks of 1, 2, … `depth` ReLU layers put out along the grid, (POINTS,); each continues the one before.

    Plain: x ← W relu(BN(x)). Residual: x ← x + scale W relu(BN(x)), the paper's block with its factor beta. He's
    weights; WIDTH units. BN normalises with mean and variance over the grid, which count as constants in the
    derivative, as they do in a network in use; otherwise the gradient at one input would depend on all others.
    """
    chance = torch.Generator().manual_seed(seed)
    weights, biases = torch.randn(2, WIDTH, generator=chance)
    x = Dual(torch.outer(grid(), weights) + biases, weights.expand(POINTS, WIDTH))
    for _ in range(depth):
        layer = torch.randn(WIDTH, WIDTH, generator=chance) * (2 / WIDTH) ** 0.5
        readout = torch.randn(WIDTH, generator=chance) / WIDTH**0.5
        branch = _times(_relu(_normalised(x)), layer)
        x = branch if family == "plain" else _sum(x, branch, scale)
        yield _times(x, readout)


def grid() -> Tensor:
    """The inputs, (POINTS,)."""
    return torch.linspace(-_EDGE, _EDGE, POINTS)


def autocorrelation(series: Tensor, lags: int = LAGS) -> tuple[float, ...]:
    """Mean product of values 0, 1, … `lags` points apart, over series (S, P), by the mean square.

    1 at lag 0. The mean is not taken off: over random weights it is zero, and a gradient that is constant along the
    grid is wholly correlated.
    """
    points = series.shape[-1]
    products = [(series[:, : points - lag] * series[:, lag:]).mean() for lag in range(lags + 1)]
    return tuple((torch.stack(products) / series.square().mean()).tolist())


def brown_noise(lags: int = LAGS, points: int = POINTS) -> tuple[float, ...]:
    """What `autocorrelation` gives, on average, for a random walk that starts at 0: a straight line.

    The expected product of its values at i and i + lag is i.
    """
    return tuple(1 - lag / (points + 1) for lag in range(lags + 1))


def white_noise(lags: int = LAGS) -> tuple[float, ...]:
    """What `autocorrelation` gives, on average, for independent values: 1, then 0."""
    return (1.0, *([0.0] * lags))


def _normalised(x: Dual) -> Dual:
    deviation, mean = torch.std_mean(x.value, dim=0, correction=0)
    return Dual((x.value - mean) / (deviation + _EPSILON), x.slope / (deviation + _EPSILON))


def _relu(x: Dual) -> Dual:
    active = x.value > 0
    return Dual(x.value * active, x.slope * active)


def _times(x: Dual, weights: Tensor) -> Dual:
    return Dual(x.value @ weights, x.slope @ weights)


def _sum(x: Dual, branch: Dual, scale: float) -> Dual:
    return Dual(x.value + scale * branch.value, x.slope + scale * branch.slope)
