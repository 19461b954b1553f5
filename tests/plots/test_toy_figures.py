"""The figures of the toys: what they draw, and what they say in words."""

import math

import pytest

from explorer.measurement.deep_linear import Fit
from explorer.measurement.propagation import BlockSignal
from explorer.measurement.shattering import Shattering, brown_noise, white_noise
from explorer.plots import deep_linear, propagation, shattering, theme

FITS = [Fit(1, 1e-31, 1e-30, 3.0, 3.0), Fit(8, 2e-6, 0.04, 0.19, 0.18), Fit(64, 7e-6, math.inf, 0.022, 0.021)]
INPUTS = (-2.0, 0.0, 2.0)
SHATTERED = [
    Shattering(family, INPUTS, ((1.0, -1.0, 1.0), (0.5, 1.0, 1.0)), ((1.0, near), (1.0, near / 2)))
    for family, near in (("plain", 0.2), ("resnet", 0.8))
]
NOISES = {"white noise": white_noise(1), "brown noise": brown_noise(1)}
BLOCKS = ("stage1.0", "stage1.1", "stage2.0")
SIGNALS = {
    ("plain", True): [BlockSignal(block, 1.0, None, None) for block in BLOCKS],
    ("resnet", True): [BlockSignal(block, 1.0, index, index + 1.0) for index, block in enumerate(BLOCKS)],
    ("skipinit", False): [BlockSignal(block, 0.0, 0.5, 0.5) for block in BLOCKS],
}


def test_the_largest_layer_stands_on_the_constructed_solution_both_axes_logarithmic() -> None:
    figure = deep_linear.layer_norms(FITS)
    constructed, trained = figure.data
    assert list(constructed.y) == [3.0, 0.18, 0.021]
    assert constructed.line.color == theme.PAPER
    assert list(trained.y) == [3.0, 0.19, 0.022]
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert "0.022 with 64" in deep_linear.norms_text(FITS)


def test_without_a_constructed_solution_there_is_only_the_trained_one() -> None:
    (trained,) = deep_linear.layer_norms([Fit(2, 0.1, 0.1, 1.0, None)]).data
    assert trained.name == "trained residual"


def test_losses_end_at_rounding_and_leave_out_what_diverged() -> None:
    plain, residual = deep_linear.losses(FITS).data
    assert list(plain.y) == [1e-8, 0.04, None]
    assert list(residual.y) == [1e-8, 2e-6, 7e-6]
    assert residual.customdata[0] == 1e-31
    assert residual.line.color == theme.line("resnet", 1, "test")["color"]
    assert "8 layers: plain 0.04, residual 2e-06" in deep_linear.losses_text(FITS)


@pytest.mark.parametrize("depth", [1, 2])
def test_gradients_are_drawn_plain_above_residual(depth: int) -> None:
    figure = shattering.gradient_curves(SHATTERED, depth, 400)
    plain, residual = figure.data
    assert tuple(plain.y) == SHATTERED[0].gradients[depth - 1]
    assert (plain.yaxis, residual.yaxis) == ("y", "y2")
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert f"Plain networks: {(2, 0)[depth - 1]} changes of sign" in shattering.gradients_text(SHATTERED, depth)


def test_correlations_stand_beside_noise_in_grey() -> None:
    figure = shattering.correlations(SHATTERED, NOISES, 2, 400)
    by_axis = {(trace.name, trace.yaxis): trace for trace in figure.data}
    assert tuple(by_axis["plain", "y"].y) == (1.0, 0.1)
    assert tuple(by_axis["residual", "y2"].y) == (0.8, 0.4)
    assert {by_axis[noise, "y"].line.color for noise in NOISES} == {theme.PAPER}
    assert "Correlation at 2 layers" in figure.layout.annotations[0].text
    assert "Residual networks: 0.80 with 1 layer, 0.40 with 2" in shattering.correlations_text(SHATTERED, 2)


def test_the_signal_has_a_panel_with_bn_and_one_without_and_marks_new_stages() -> None:
    figure = propagation.signal_lines(SIGNALS)
    drawn = {(trace.name, trace.xaxis): list(trace.y) for trace in figure.data}
    assert drawn == {
        ("plain", "x"): [1, 1, 1],
        ("residual, trunk", "x"): [1, 2, 3],
        ("residual, branch", "x"): [1, 1, 1],
        ("SkipInit, trunk", "x2"): [0.5, 0.5, 0.5],
    }
    assert figure.layout.yaxis.type == "log"
    assert {shape.x0 for shape in figure.layout.shapes} == {2.5}
    assert "residual with BN, trunk: 1 in the first block, 3 in the last" in propagation.alternative_text(SIGNALS)
