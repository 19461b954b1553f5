"""Gradients along a line of inputs: known series, finite differences, and what Balduzzi et al. found."""

import pytest
import torch

from explorer.measurement.shattering import (
    LAGS,
    POINTS,
    autocorrelation,
    brown_noise,
    grid,
    outputs,
    shattering,
    white_noise,
)


def test_a_constant_gradient_is_wholly_correlated_and_an_alternating_one_in_turns() -> None:
    assert autocorrelation(torch.full((2, 40), -3.0), 5) == pytest.approx([1] * 6)
    assert autocorrelation(torch.tensor([[1.0, -1.0] * 20]), 5) == pytest.approx([1, -1, 1, -1, 1, -1])


def test_the_references_are_what_noise_gives_on_average() -> None:
    steps = torch.randn(4000, POINTS, generator=torch.Generator().manual_seed(0))
    assert autocorrelation(steps) == pytest.approx(white_noise(), abs=0.01)
    assert autocorrelation(steps.cumsum(1)) == pytest.approx(brown_noise(), abs=0.01)


@pytest.mark.parametrize("family", ["plain", "resnet"])
def test_slopes_are_the_differences_of_the_outputs(family: str) -> None:
    """Between points that no unit's kink separates the output is a straight line."""
    (output,) = outputs(family, depth=1, seed=4)
    differences = output.value.diff() / grid().diff()
    smooth = torch.isclose(output.slope[1:], output.slope[:-1], rtol=1e-6)
    assert smooth.sum() > POINTS / 4
    assert torch.allclose(differences[smooth], output.slope[:-1][smooth], rtol=0.01, atol=0.01)


@pytest.mark.parametrize("family", ["plain", "resnet"])
def test_over_several_layers_the_slopes_add_up_to_the_outputs(family: str) -> None:
    *_, output = outputs(family, depth=3, seed=1)
    between = (output.slope[1:] + output.slope[:-1]) / 2 * grid().diff()
    spread = float(output.value.max() - output.value.min())
    assert torch.allclose(between.cumsum(0), output.value[1:] - output.value[0], rtol=0, atol=0.05 * spread)


def test_a_branch_of_no_weight_leaves_a_straight_line() -> None:
    found = shattering("resnet", depth=3, networks=2, scale=0.0)
    for gradient in found.gradients:
        assert gradient == pytest.approx([gradient[0]] * POINTS)
        assert abs(gradient[0]) == pytest.approx(1)
    assert found.neighbours == pytest.approx([1, 1, 1])


def test_there_is_an_entry_for_each_depth_and_a_deeper_network_continues_the_shallower() -> None:
    few, many = shattering("plain", depth=2, networks=3), shattering("plain", depth=4, networks=3)
    assert [len(gradient) for gradient in many.gradients] == [POINTS] * 4
    assert [len(lags) for lags in many.correlations] == [LAGS + 1] * 4
    assert few.correlations == many.correlations[:2]
    assert few.inputs == pytest.approx(grid().tolist())


def test_deep_plain_gradients_are_white_noise_and_residual_ones_stay_correlated() -> None:
    plain = shattering("plain", 50, 5).neighbours
    residual, scaled = (shattering("resnet", 50, 5, scale).neighbours for scale in (1.0, 0.1))
    assert plain[0] > 0.98
    assert max(map(abs, plain[23:])) < 0.2  # five networks of 256 points: what is left is chance
    assert residual[-1] > 0.5
    assert scaled[-1] > 0.9
    assert all(p < r < s for p, r, s in zip(plain[9:], residual[9:], scaled[9:], strict=True))
