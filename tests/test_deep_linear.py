"""Deep linear networks against what is known in closed form."""

import math
from itertools import pairwise

import numpy as np
import pytest

from explorer.measurement.deep_linear import (
    DEPTHS,
    SIZE,
    TARGETS,
    _gradient,
    _products,
    deep_linear,
    root,
    target,
)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("seed", range(3))
def test_targets_have_the_determinant_that_they_are_named_for(kind: str, seed: int) -> None:
    assert np.linalg.det(target(kind, seed)) == pytest.approx(-1.0 if kind == "mirror" else 1.0)


@pytest.mark.parametrize("kind", ["stretch", "turn"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_product_of_the_constructed_layers_is_the_target(kind: str, depth: int) -> None:
    layer = root(target(kind), depth)
    assert layer is not None
    assert np.abs(np.linalg.matrix_power(layer, depth) - target(kind)).max() < 1e-10


def test_a_map_that_turns_one_axis_over_has_no_root() -> None:
    assert root(target("mirror"), 4) is None


def test_constructed_norms_are_those_of_the_scalar_roots() -> None:
    """A stretch by 4 in L layers takes 4^(1/L) in each; a turn by 120° takes chords of 120°/L."""
    for fit in deep_linear("stretch", steps=1):
        assert fit.constructed_norm == pytest.approx(4 ** (1 / fit.depth) - 1)
    for fit in deep_linear("turn", steps=1):
        assert fit.constructed_norm == pytest.approx(2 * math.sin(math.pi / 3 / fit.depth))


@pytest.mark.parametrize("kind", TARGETS)
def test_one_layer_is_the_least_squares_solution(kind: str) -> None:
    inputs = np.random.default_rng(1).standard_normal((50, SIZE))
    solution = np.linalg.lstsq(inputs, inputs @ target(kind).T, rcond=None)[0].T
    (fit,) = deep_linear(kind, depths=[1])
    assert fit.residual_loss < 1e-20
    assert fit.plain_loss < 1e-20
    assert fit.norm == pytest.approx(np.linalg.norm(solution - np.eye(SIZE), 2))


def test_gradients_are_those_of_finite_differences() -> None:
    chance = np.random.default_rng(0)
    layers, goal = chance.standard_normal((3, 1, SIZE, SIZE)), target("mix")

    def loss(moved: np.ndarray) -> float:
        return float(np.square(_products(moved)[-1] - goal).sum() / 2)

    direction = chance.standard_normal(layers.shape)
    slope = (loss(layers + 1e-6 * direction) - loss(layers - 1e-6 * direction)) / 2e-6
    assert slope == pytest.approx(float((_gradient(layers, goal) * direction).sum()), rel=1e-6)


@pytest.mark.parametrize(("kind", "limit"), [("stretch", math.log(4)), ("turn", 2 * math.pi / 3)])
def test_the_largest_layer_shrinks_like_one_over_the_depth(kind: str, limit: float) -> None:
    """Trained norm times depth tends to the norm of log R, as that of the constructed solution does."""
    fits = deep_linear(kind)
    assert fits[-1].norm * fits[-1].depth == pytest.approx(limit, rel=0.02)
    for shallower, deeper in pairwise(fits[3:]):
        assert shallower.norm / deeper.norm == pytest.approx(2, rel=0.05)
    for fit in fits:
        assert fit.norm == pytest.approx(fit.constructed_norm, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["stretch", "turn", "mix"])
def test_deep_plain_networks_miss_what_residual_ones_find(kind: str, seed: int) -> None:
    shallow, deep = deep_linear(kind, depths=[2, 64], seed=seed)
    assert shallow.plain_loss < 1e-4
    assert shallow.residual_loss < 1e-4
    assert deep.plain_loss > 0.4
    assert deep.residual_loss < 0.02


def test_where_the_determinant_is_negative_residual_networks_do_not_get_there_either() -> None:
    assert all(fit.residual_loss > 0.1 for fit in deep_linear("mirror", depths=[2, 8, 64]))


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert deep_linear("mix", 20, [1, 8], seed=3) == deep_linear("mix", 20, [1, 8], seed=3)
