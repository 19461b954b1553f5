"""The toys: small experiments on tiny or untrained networks, each computed when it is looked at."""

import math
import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.config import NetworkConfig, TrainingConfig
from explorer.measurement import deep_linear as linear
from explorer.plots import deep_linear as linear_plots
from explorer.plots import propagation as propagation_plots
from explorer.plots import shattering as shattering_plots
from explorer.plots import theme
from explorer.ui import controls, frame, resources
from explorer.ui.live_plot import live_plot

if TYPE_CHECKING:
    from explorer.measurement.propagation import BlockSignal
    from explorer.measurement.shattering import Shattering

_TARGETS = {"stretch": "Stretch", "turn": "Turn", "mix": "Both", "mirror": "Mirror"}
_STEPS = (30, 100, 300)
_DEEPEST, _NETWORKS = 50, 5
_SCALES = {1.0: "x + F(x)", 0.3: "x + 0.3 F(x)", 0.1: "x + 0.1 F(x)"}
_DEPTHS = (20, 32, 56, 110)
_BLOCKS = {False: "The paper's", True: "Pre-activation"}
_IMAGES, _SEED = 16, 0
_HEIGHT, _PANELS_HEIGHT, _TALL = 360, 350, 470
_NARROW_HEIGHT = 620


def deep_linear() -> None:
    """The same target for linear networks of all depths, with shortcuts and without."""
    left, right = st.columns([3, 2])
    with left:
        kind = controls.pick("Target", list(_TARGETS), "stretch", "toys-target", _TARGETS.__getitem__)
    steps = right.select_slider("Steps of gradient descent", _STEPS, value=_STEPS[-1], key="toys-steps")
    fits, seconds = _fits(kind, steps)
    frame.finding(
        _linear_sentences(fits),
        f"Seed {_SEED}, {linear.SIZE}×{linear.SIZE} target, {steps} steps at the best of {len(linear.RATES)} learning "
        f"rates; all {len(fits)} depths, plain and residual, in {seconds:.1f} s.",
    )
    left, right = st.columns(2)
    with left:
        figure = linear_plots.layer_norms(fits)
        live_plot(figure, key="toys-norms", height=_HEIGHT, alt=linear_plots.norms_text(fits))
    with right:
        live_plot(linear_plots.losses(fits), key="toys-losses", height=_HEIGHT, alt=linear_plots.losses_text(fits))
    st.caption(
        "Hardt and Ma, Identity Matters in Deep Learning (2016). A residual layer is x + Ax, started at A = 0; a plain "
        "one is Wx, started at random so that it keeps the size of the signal. Both can be any linear map: only the "
        "way there differs. The targets stretch the axes by ¼ to 4, turn four planes by 120°, do both, or mirror one "
        "axis: then the determinant is negative, no product of layers near the identity comes close, and the theorem "
        "says nothing. Grey: every layer the L-th root of the target R, a solution that can be written down where R "
        "has one. Left out: nonlinearities, BN, data and noise; the loss is the distance from R itself."
    )


def shattering() -> None:
    """The gradient along a line of inputs, for a depth of choice."""
    left, right = st.columns([3, 2])
    depth = left.slider("ReLU layers", 1, _DEEPEST, _DEEPEST, key="toys-depth")
    with right:
        names = {str(scale): name for scale, name in _SCALES.items()}
        scale = float(controls.pick("Residual block", list(names), "1.0", "toys-scale", names.__getitem__))
    measured = [_shattering("plain", 1.0), _shattering("resnet", scale)]
    shown, noises = [found for found, _ in measured], _noises()
    frame.finding(
        _shattering_sentences(shown, depth, noises),
        f"{len(shown[0].inputs)} inputs, BN, untrained, {_NETWORKS} networks each; all depths in "
        f"{sum(seconds for _, seconds in measured):.1f} s.",
    )
    left, right = st.columns(2)
    with left:
        curves = shattering_plots.gradient_curves(shown, depth, _TALL)
        live_plot(curves, key="toys-gradients", height=_TALL, alt=shattering_plots.gradients_text(shown, depth))
    with right:
        lines = shattering_plots.correlations(shown, noises, depth, _TALL)
        live_plot(lines, key="toys-correlations", height=_TALL, alt=shattering_plots.correlations_text(shown, depth))
    st.caption(
        "Balduzzi et al., The Shattered Gradients Problem (2017). One number in, one out, 200 units a layer; the "
        "gradient is that of the output with respect to the input, drawn for one network. Where neighbours disagree, a "
        "step that is right for one input is wrong for the next: white noise tells nothing about the neighbourhood, "
        "brown noise, a random walk, a lot. The paper scales F to keep gradients alike in deeper networks. Left out: "
        "convolutions, images, training; BN's mean and variance count as constants, and a block has one layer."
    )


def propagation() -> None:
    """What blocks add to what they are given, in real networks before the first step."""
    left, right = st.columns([3, 2])
    depth = left.select_slider("Layers", _DEPTHS, value=56, key="toys-layers")
    with right:
        names = {str(preactivation): name for preactivation, name in _BLOCKS.items()}
        blocks = controls.pick("Blocks", list(names), "False", "toys-blocks", names.__getitem__)
    data = resources.default_data()
    source = resources.source(data).name
    configs = _configs(depth, blocks == "True")
    found = {key: _signals(config, source, data) for key, config in configs.items()}
    shown = {key: signals for key, (signals, _) in found.items()}
    frame.finding(
        _propagation_sentences(shown),
        f"Seed {_SEED}, {_IMAGES} images of {controls.data_label(data)}, untrained; five networks in "
        f"{sum(seconds for _, seconds in found.values()):.1f} s.",
    )
    figure = propagation_plots.signal_lines(shown)
    live_plot(
        figure,
        key="toys-signal",
        height=_PANELS_HEIGHT,
        alt=propagation_plots.alternative_text(shown),
        narrow=theme.stacked(figure, _NARROW_HEIGHT),
    )
    st.caption(
        "De and Smith, Batch Normalization Biases Residual Blocks Towards the Identity Function (2020). The trunk is "
        "F(x) + x before the nonlinearity, the branch F(x); a plain network has F alone. For blocks without a "
        "nonlinearity after the sum they derive a trunk that grows by 1 in each block with BN, and doubles without; a "
        "ReLU after the sum and zeros at the borders of the maps take a little from that. Dotted: a new stage, where "
        "option A's zeros halve the trunk. SkipInit multiplies F by a number that starts at 0, so its branch is not on "
        "a logarithmic axis. Left out: what training makes of it."
    )


@st.cache_data(max_entries=32, show_spinner="Training the linear networks …")
def _fits(kind: str, steps: int) -> tuple[tuple[linear.Fit, ...], float]:
    started = time.perf_counter()
    return linear.deep_linear(kind, steps, seed=_SEED), time.perf_counter() - started


@st.cache_data(max_entries=8, show_spinner="Measuring the untrained networks …")
def _shattering(family: str, scale: float) -> "tuple[Shattering, float]":
    from explorer.measurement.shattering import shattering

    started = time.perf_counter()
    return shattering(family, _DEEPEST, _NETWORKS, scale), time.perf_counter() - started


def _noises() -> dict[str, tuple[float, ...]]:
    from explorer.measurement.shattering import brown_noise, white_noise

    return {"white noise": white_noise(), "brown noise": brown_noise()}


@st.cache_data(max_entries=64, show_spinner="Measuring the untrained networks …")
def _signals(config: NetworkConfig, source: str, data: str) -> "tuple[tuple[BlockSignal, ...], float]":
    from explorer.data.prepared import prepared
    from explorer.measurement.propagation import propagation

    ready = prepared(resources.images(data), TrainingConfig(train_images=1000, test_images=100))
    images = ready.normalization(ready.train_images[:_IMAGES])
    started = time.perf_counter()
    return propagation(config, images, _SEED), time.perf_counter() - started


def _configs(depth: int, preactivation: bool) -> dict[tuple[str, bool], NetworkConfig]:
    """By family and whether there is BN."""
    common: dict[str, Any] = {"depth": depth, "preactivation": preactivation}
    return {
        ("plain", True): NetworkConfig(**common, shortcut="none"),
        ("resnet", True): NetworkConfig(**common),
        ("plain", False): NetworkConfig(**common, shortcut="none", bn=False),
        ("resnet", False): NetworkConfig(**common, bn=False),
        ("skipinit", False): NetworkConfig(**common, bn=False, skipinit=True),
    }


def _linear_sentences(fits: Sequence[linear.Fit]) -> list[str]:
    first, *_, before, last = fits
    return [
        f"**Residual:** the largest ‖A‖ falls from {first.norm:.2g} in {first.depth} layer to {last.norm:.2g} in "
        f"{last.depth}; from {before.depth} to {last.depth} it becomes {last.norm / before.norm:.2f} times as large. "
        f"With {last.depth} layers {_missing(last.residual_loss)} of the target is missing.",
        f"**Plain:** with {first.depth} layer {_missing(first.plain_loss)} of it is missing, with {last.depth} layers "
        f"{_missing(last.plain_loss)}.",
    ]


def _missing(loss: float) -> str:
    """A share of the target, in words where it is out of all proportion."""
    if not math.isfinite(loss):
        return "everything (it diverged)"
    if loss < 1e-6:
        return "nothing"
    return f"{loss:.0%}" if loss >= 0.1 else f"{100 * loss:.2g}%" if loss >= 1e-4 else "less than 0.01%"


def _shattering_sentences(shown: "Sequence[Shattering]", depth: int, noises: dict[str, tuple[float, ...]]) -> list[str]:
    plain, residual = (found.neighbours for found in shown)
    here = [f"**{_signed(values[depth - 1])}**" for values in (plain, residual)]
    white, brown = noises["white noise"][1], noises["brown noise"][1]
    return [
        f"With {depth} layer{'s' if depth > 1 else ''} neighbouring inputs' gradients correlate by {here[0]} in plain "
        f"networks and by {here[1]} in residual ones: {white:.0f} would be white noise, {brown:.2f} a random walk.",
        f"The plain correlation {_halved(plain)}, the residual one {_halved(residual)}.",
    ]


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _halved(values: Sequence[float]) -> str:
    below = next((depth for depth, value in enumerate(values, 1) if value < 0.5), None)
    return f"falls below one half at {below} layers" if below else f"stays above one half up to {len(values)} layers"


def _propagation_sentences(shown: "dict[tuple[str, bool], tuple[BlockSignal, ...]]") -> list[str]:
    from explorer.measurement.propagation import factor, rise

    normalised, free, plain = shown["resnet", True], shown["resnet", False], shown["plain", False]
    shares = [[signal.share for signal in signals if signal.share is not None] for signals in (normalised, free)]
    return [
        f"**With BN** the residual trunk grows by {rise(normalised):.2f} in each block, and the branch's share of it "
        f"falls from {shares[0][0]:.0%} in the first block to {shares[0][-1]:.0%} in the last.",
        f"**Without BN** the trunk grows {factor(free):.1f}-fold in each block and the branch keeps a share of "
        f"{median(shares[1]):.0%} (median); the plain signal ends at {plain[-1].branch / plain[0].branch:.2g} of what "
        "it began with.",
    ]
