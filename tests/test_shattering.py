"""Gradients along a line of inputs: known series, finite differences, and what Balduzzi et al. found."""

import numpy as np
import pytest

from explorer.measurement.shattering import (
    POINTS,
    autocorrelation,
    brown_noise,
    grid,
    input_gradients,
    neighbour_correlation,
    outputs,
    white_noise,
)

CHANCE = np.random.default_rng(0)


def test_a_constant_gradient_is_wholly_correlated_and_an_alternating_one_in_turns() -> None:
    assert autocorrelation(np.full((2, 40), -3.0), 5) == pytest.approx(1)
    alternating = np.tile([1.0, -1.0], 20)[None]
    assert autocorrelation(alternating, 5) == pytest.approx([1, -1, 1, -1, 1, -1])


def test_the_references_are_what_noise_gives_on_average() -> None:
    steps = CHANCE.standard_normal((4000, POINTS))
    assert autocorrelation(steps, 20) == pytest.approx(white_noise(20), abs=0.01)
    assert autocorrelation(steps.cumsum(1), 20) == pytest.approx(brown_noise(20), abs=0.01)


@pytest.mark.parametrize("family", ["plain", "resnet"])
def test_slopes_are_the_differences_of_the_outputs(family: str) -> None:
    """Between points that no unit's kink separates the output is a straight line."""
    (output,) = outputs(family, depth=1, seed=4)
    differences = np.diff(output.value) / np.diff(grid())
    smooth = np.isclose(output.slope[1:], output.slope[:-1], rtol=1e-6)
    assert smooth.sum() > POINTS / 4
    assert differences[smooth] == pytest.approx(output.slope[:-1][smooth], rel=1e-2, abs=1e-2)


def test_over_many_layers_the_slopes_add_up_to_the_outputs() -> None:
    *_, output = outputs("resnet", scale=0.3, depth=10, seed=1)
    between = (output.slope[1:] + output.slope[:-1]) / 2 * np.diff(grid())
    assert between.cumsum() == pytest.approx(output.value[1:] - output.value[0], abs=0.02 * float(np.ptp(output.value)))


def test_a_branch_of_no_weight_leaves_a_straight_line() -> None:
    gradients = input_gradients("resnet", scale=0.0, depth=3, seeds=2)
    assert np.ptp(gradients, axis=-1) == pytest.approx(0)
    assert neighbour_correlation(gradients) == pytest.approx(1)


def test_every_gradient_has_the_size_one() -> None:
    gradients = input_gradients("plain", depth=4, seeds=3)
    assert gradients.shape == (3, 4, POINTS)
    assert np.square(gradients).mean(-1) == pytest.approx(1, rel=1e-4)


def test_deep_plain_gradients_are_white_noise_and_residual_ones_stay_correlated() -> None:
    plain, residual, scaled = (
        neighbour_correlation(input_gradients(family, scale))
        for family, scale in (("plain", 1.0), ("resnet", 1.0), ("resnet", 0.1))
    )
    assert plain[0] > 0.98
    assert abs(plain[23:]).max() < 0.2  # independent values: five seeds of 256, and what is left of chance
    assert residual[-1] > 0.5
    assert scaled[-1] > 0.9
    assert (plain[9:] < residual[9:]).all()
    assert (residual[9:] < scaled[9:]).all()
