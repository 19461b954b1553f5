"""Do neighbouring inputs get similar gradients? Shattered gradients (Balduzzi et al. 2017), in untrained networks.

Fully connected ReLU networks from one number to one number. Their derivative is carried forward together with the
value, which for one input costs as much as the value and needs no graph.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float32]

DEPTH, WIDTH, POINTS, SEEDS = 50, 200, 256, 5
_EDGE = 2.0
"""The grid goes from -2 to 2, as in the paper's figure 1."""
_EPSILON = 1e-6


class Dual(NamedTuple):
    """Values for every input of the grid, and their derivatives with respect to it; both of one shape."""

    value: Values
    slope: Values


def input_gradients(family: str, scale: float = 1.0, depth: int = DEPTH, seeds: int = SEEDS) -> Values:
    """The derivative of the output with respect to the input: (seeds, depth, POINTS), for each depth 1 … `depth`.

    `family` plain or resnet, `scale` as in `outputs`. Each is divided by its root mean square over the grid, since
    only its course matters here.
    """
    slopes = np.stack([[output.slope for output in outputs(family, scale, depth, seed)] for seed in range(seeds)])
    size: Values = np.sqrt(np.square(slopes).mean(-1, keepdims=True))
    return slopes / size


def outputs(family: str, scale: float = 1.0, depth: int = DEPTH, seed: int = 0) -> Iterator[Dual]:
    """What networks of 1, 2, … `depth` ReLU layers put out along the grid, (POINTS,); each continues the one before.

    Plain: x ← W relu(BN(x)). Residual: x ← x + scale W relu(BN(x)), the paper's block with its factor beta. He's
    weights; WIDTH units. BN normalises with mean and variance over the grid, which count as constants in the
    derivative, as they do in a network in use; otherwise the gradient at one input would depend on all others.
    """
    chance = np.random.default_rng(seed)
    weights, biases = chance.standard_normal((2, WIDTH), dtype=np.float32)
    x = Dual(np.outer(grid(), weights) + biases, np.broadcast_to(weights, (POINTS, WIDTH)))
    for _ in range(depth):
        layer = chance.standard_normal((WIDTH, WIDTH), dtype=np.float32) * np.float32(np.sqrt(2 / WIDTH))
        readout = chance.standard_normal(WIDTH, dtype=np.float32) / np.float32(np.sqrt(WIDTH))
        branch = _times(_relu(_normalised(x)), layer)
        x = branch if family == "plain" else _sum(x, branch, scale)
        yield _times(x, readout)


def grid() -> Values:
    """The inputs, (POINTS,)."""
    return np.linspace(-_EDGE, _EDGE, POINTS, dtype=np.float32)


def autocorrelation(series: Values, lags: int) -> Values:
    """Mean product of values 0, 1, … `lags` points apart, over series (S, P), by the mean square: (lags + 1,).

    1 at lag 0. The mean is not taken off: over random weights it is zero, and a gradient that is constant along the
    grid is wholly correlated.
    """
    points = series.shape[-1]
    products = [np.mean(series[:, : points - lag] * series[:, lag:]) for lag in range(lags + 1)]
    correlation: Values = np.array(products) / np.mean(np.square(series))
    return correlation


def neighbour_correlation(gradients: Values) -> Values:
    """The autocorrelation of neighbouring points for each depth: (seeds, depth, points) to (depth,)."""
    return np.array([autocorrelation(at_depth, 1)[1] for at_depth in gradients.swapaxes(0, 1)])


def brown_noise(lags: int, points: int = POINTS) -> Values:
    """What `autocorrelation` gives, on average, for a random walk that starts at 0: a straight line, (lags + 1,).

    The expected product of its values at i and i + lag is i.
    """
    line: Values = 1 - np.arange(lags + 1, dtype=np.float32) / np.float32(points + 1)
    return line


def white_noise(lags: int) -> Values:
    """What `autocorrelation` gives, on average, for independent values: 1, then 0, (lags + 1,)."""
    return np.array([1] + [0] * lags, dtype=np.float32)


def _normalised(x: Dual) -> Dual:
    deviation = x.value.std(0) + _EPSILON
    return Dual((x.value - x.value.mean(0)) / deviation, x.slope / deviation)


def _relu(x: Dual) -> Dual:
    active = x.value > 0
    return Dual(x.value * active, x.slope * active)


def _times(x: Dual, weights: Values) -> Dual:
    return Dual(x.value @ weights, x.slope @ weights)


def _sum(x: Dual, branch: Dual, scale: float) -> Dual:
    return Dual(x.value + np.float32(scale) * branch.value, x.slope + np.float32(scale) * branch.slope)
