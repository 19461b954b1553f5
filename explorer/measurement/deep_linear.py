"""Why does each layer do less in a deeper residual network? Deep linear networks (Hardt and Ma 2016).

No data: for white inputs the mean squared error of a linear network is the distance of its matrix from the target's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrices: TypeAlias = NDArray[np.float64]

DEPTHS = (1, 2, 4, 8, 16, 32, 64)
SIZE = 8
"""Inputs, outputs and units of each layer."""
STEPS = 300
RATES = (0.3, 0.1, 0.03, 0.01)
"""Learning rates that are tried, each divided by the depth; the best is kept."""
TARGETS = ("stretch", "turn", "mix", "mirror")
_STRETCH = 4.0
_TURN = np.pi * 2 / 3


@dataclass(frozen=True)
class Fit:
    """What gradient descent reaches at one depth, with a shortcut around each layer and without."""

    depth: int
    residual_loss: float
    """Share of the target that is missing, |product - R|² / |R|²: 1 is no better than putting out zero."""
    plain_loss: float
    """As `residual_loss`; infinite where every learning rate diverged."""
    norm: float
    """The largest spectral norm of the trained A_l."""
    constructed_norm: float | None
    """Spectral norm of R^(1/L) - I, with which every layer alike gives R exactly; None where R has no such root."""


def deep_linear(
    kind: str = "stretch", steps: int = STEPS, depths: Sequence[int] = DEPTHS, seed: int = 0
) -> tuple[Fit, ...]:
    """Fit (I + A_L)…(I + A_1), started at A = 0, and W_L…W_1, started at random, to one target, for each of `depths`.

    `steps` of full gradient descent in float64. The plain weights start as usual in a linear network, with a standard
    deviation of 1/sqrt(units), which keeps the signal's size. Hardt and Ma prove that where det R > 0 a deep enough
    residual network has a solution with norms of the order 1/depth, and that where all norms are below 1 nothing but a
    solution is a critical point.
    """
    goal = target(kind, seed)
    return tuple(_fit(goal, depth, steps, seed) for depth in depths)


def target(kind: str, seed: int = 0) -> Matrices:
    """R, (SIZE, SIZE), with axes that are random but the same for a seed.

    stretch: symmetric, by 1/4 … 4 · turn: by 120° in four planes · mix: two different turns and the stretch between
    them, the determinant positive · mirror: one axis turned over, the determinant -1.
    """
    chance = np.random.default_rng(seed)
    axes, others = _rotation(chance), _rotation(chance)
    stretch = np.diag(np.geomspace(1 / _STRETCH, _STRETCH, SIZE))
    if kind == "stretch":
        return axes @ stretch @ axes.T
    if kind == "turn":
        plane = np.array([[np.cos(_TURN), -np.sin(_TURN)], [np.sin(_TURN), np.cos(_TURN)]])
        return axes @ np.kron(np.eye(SIZE // 2), plane) @ axes.T
    if kind == "mix":
        return axes @ stretch @ others.T
    return axes @ np.diag([-1.0] + [1.0] * (SIZE - 1)) @ axes.T


def root(goal: Matrices, depth: int) -> Matrices | None:
    """The real matrix whose `depth`-th power is `goal`, the one nearest to the identity.

    None where an eigenvalue is zero or negative (a double one of those could have a real root; it is not sought).
    """
    values, vectors = np.linalg.eig(goal.astype(complex))
    if np.any((np.abs(values.imag) < 1e-9) & (values.real < 1e-9)):
        return None
    return np.real((vectors * values ** (1 / depth)) @ np.linalg.inv(vectors))


def _fit(goal: Matrices, depth: int, steps: int, seed: int) -> Fit:
    chance = np.random.default_rng([seed, depth])
    identity = np.broadcast_to(np.eye(SIZE), (depth, SIZE, SIZE))
    plain = chance.standard_normal((depth, SIZE, SIZE)) / np.sqrt(SIZE)
    (residual, residual_loss), (_, plain_loss) = _trained(np.stack([identity, plain], axis=1), goal, steps)
    exact = root(goal, depth)
    constructed = None if exact is None else _largest(exact[None] - identity)
    return Fit(depth, residual_loss, plain_loss, _largest(residual - identity), constructed)


def _trained(starts: Matrices, goal: Matrices, steps: int) -> list[tuple[Matrices, float]]:
    """The layers (L, n, n) of each network of `starts` (L, networks, n, n) and its loss, at its best learning rate.

    All networks and rates descend side by side: that costs little more than one.
    """
    rates = np.array(RATES)[:, None, None] / len(starts)
    layers = np.repeat(starts[:, :, None], len(RATES), axis=2)
    with np.errstate(all="ignore"):  # a rate that is too large overflows, and is not chosen
        for _ in range(steps):
            layers -= rates * _gradient(layers, goal)
        losses = np.square(_products(layers)[-1] - goal).sum((-2, -1)) / np.square(goal).sum()
    losses = np.where(np.isfinite(losses), losses, np.inf)
    best = losses.argmin(axis=1)
    return [(layers[:, network, rate], float(losses[network, rate])) for network, rate in enumerate(best)]


def _gradient(layers: Matrices, goal: Matrices) -> Matrices:
    """Of half the squared distance of each product from the goal; shape (L, …, n, n), like `layers`."""
    products = _products(layers)
    gradient = np.empty_like(layers)
    back = products[-1] - goal
    for layer in range(len(layers) - 1, -1, -1):
        np.matmul(back, products[layer].swapaxes(-2, -1), out=gradient[layer])
        back = layers[layer].swapaxes(-2, -1) @ back
    return gradient


def _products(layers: Matrices) -> Matrices:
    """Of none of the layers, of the first, of the first two …: (L + 1, …, n, n)."""
    products = np.empty((len(layers) + 1, *layers.shape[1:]))
    products[0] = np.eye(SIZE)
    for index, layer in enumerate(layers):
        np.matmul(layer, products[index], out=products[index + 1])
    return products


def _largest(layers: Matrices) -> float:
    return float(np.linalg.norm(layers, 2, axis=(1, 2)).max())


def _rotation(chance: np.random.Generator) -> Matrices:
    axes, _ = np.linalg.qr(chance.standard_normal((SIZE, SIZE)))
    axes[:, 0] *= np.sign(np.linalg.det(axes))
    return axes
