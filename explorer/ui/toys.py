"""The toys: small experiments on tiny or untrained networks, each computed when it is looked at."""

import math
import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.config import NetworkConfig, TrainingConfig
from explorer.data import sources
from explorer.language import later, told, tr
from explorer.measurement import deep_linear as linear
from explorer.plots import deep_linear as linear_plots
from explorer.plots import propagation as propagation_plots
from explorer.plots import shattering as shattering_plots
from explorer.plots import theme
from explorer.ui import address, controls, frame, reading, resources
from explorer.ui.live_plot import live_plot

if TYPE_CHECKING:
    from explorer.measurement.propagation import BlockSignal
    from explorer.measurement.shattering import Shattering

_TARGETS = {"stretch": later("Stretch"), "turn": later("Turn"), "mix": later("Both"), "mirror": later("Mirror")}
_STEPS = (30, 100, 300)
_DEEPEST, _NETWORKS = 50, 5
_SCALES = {1.0: "x + F(x)", 0.3: "x + 0.3 F(x)", 0.1: "x + 0.1 F(x)"}
_DEPTHS = (20, 32, 56, 110)
_BLOCKS = {"False": later("The paper's"), "True": later("Pre-activation")}
_IMAGES, _SEED = 16, 0
_HEIGHT, _PANELS_HEIGHT, _TALL = 360, 350, 470
_NARROW_HEIGHT = 620
_HALVED = {  # whether the plain one's falls below one half, whether the residual one's does
    (True, True): later(
        "The plain correlation falls below one half at {plain} layers, the residual one falls below one half at "
        "{residual} layers."
    ),
    (True, False): later(
        "The plain correlation falls below one half at {plain} layers, the residual one stays above one half up to "
        "{residual} layers."
    ),
    (False, True): later(
        "The plain correlation stays above one half up to {plain} layers, the residual one falls below one half at "
        "{residual} layers."
    ),
    (False, False): later(
        "The plain correlation stays above one half up to {plain} layers, the residual one stays above one half up to "
        "{residual} layers."
    ),
}
_LINEAR = later(
    "Hardt and Ma, Identity Matters in Deep Learning (2016). A residual layer is x + Ax, started at A = 0; a plain "
    "one is Wx, started at random so that it keeps the size of the signal. Both can be any linear map: only the "
    "way there differs. The targets stretch the axes by ¼ to 4, turn four planes by 120°, do both, or mirror one "
    "axis: then the determinant is negative, no product of layers near the identity comes close, and the theorem "
    "says nothing. Grey: every layer the L-th root of the target R, a solution that can be written down where R "
    "has one. Left out: nonlinearities, BN, data and noise; the loss is the distance from R itself."
)
_SHATTERED = later(
    "Balduzzi et al., The Shattered Gradients Problem (2017). One number in, one out, 200 units a layer; the "
    "gradient is that of the output with respect to the input, drawn for one network. Where neighbours disagree, a "
    "step that is right for one input is wrong for the next: white noise tells nothing about the neighbourhood, "
    "brown noise, a random walk, a lot. The paper scales F to keep gradients alike in deeper networks. Left out: "
    "convolutions, images, training; BN's mean and variance count as constants, and a block has one layer."
)
_SIGNAL = later(
    "De and Smith, Batch Normalization Biases Residual Blocks Towards the Identity Function (2020). The trunk is "
    "F(x) + x before the nonlinearity, the branch F(x); a plain network has F alone. For blocks without a "
    "nonlinearity after the sum they derive a trunk that grows by 1 in each block with BN, and doubles without; a "
    "ReLU after the sum and zeros at the borders of the maps take a little from that. Dotted: a new stage, where "
    "option A's zeros halve the trunk. SkipInit multiplies F by a number that starts at 0, so its branch is not on "
    "a logarithmic axis. Left out: what training makes of it."
)


def deep_linear() -> None:
    """The same target for linear networks of all depths, with shortcuts and without."""
    left, right = st.columns([3, 2])
    with left:
        kind = controls.pick(
            tr("Target"), list(_TARGETS), "stretch", "toys-target", lambda name: told(_TARGETS[name]),
            means=tr("The linear map that all layers together are to learn: it stretches axes, turns planes, does "
                     "both, or mirrors one axis."),
        )  # fmt: skip
    with address.kept("toys-steps", _STEPS[-1], _STEPS):
        steps = right.select_slider(
            tr("Steps of gradient descent"), _STEPS, key="toys-steps",
            help=tr("30 to 300 steps, each on the whole loss. More steps, and deeper networks reach the target."),
        )  # fmt: skip
    with st.spinner(tr("Training the linear networks …")):
        fits, seconds = _fits(kind, steps)
    frame.finding(
        _linear_sentences(fits),
        tr(
            "Seed {seed}, {size}×{size} target, {steps} steps at the best of {rates} learning rates; all {depths} "
            "depths, plain and residual, in {seconds:.1f} s.",
            seed=_SEED,
            size=linear.SIZE,
            steps=steps,
            rates=len(linear.RATES),
            depths=len(fits),
            seconds=seconds,
        ),  # fmt: skip
    )
    left, right = st.columns(2)
    with left:
        figure = linear_plots.layer_norms(fits)
        live_plot(figure, key="toys-norms", height=_HEIGHT, alt=linear_plots.norms_text(fits))
    with right:
        live_plot(linear_plots.losses(fits), key="toys-losses", height=_HEIGHT, alt=linear_plots.losses_text(fits))
    st.caption(told(_LINEAR))


def shattering() -> None:
    """The gradient along a line of inputs, for a depth of choice."""
    left, right = st.columns([3, 2])
    with address.kept("toys-depth", _DEEPEST, range(1, _DEEPEST + 1)):
        depth = left.slider(
            tr("ReLU layers"), 1, _DEEPEST, key="toys-depth",
            help=tr("Fully connected layers, 1 to {most}, before the first step of training.", most=_DEEPEST),
        )  # fmt: skip
    with right:
        names = {str(scale): name for scale, name in _SCALES.items()}
        scale = float(
            controls.pick(
                tr("Residual block"), list(names), "1.0", "toys-scale", names.__getitem__,
                means=tr("By what F is multiplied before the sum."),
            )
        )  # fmt: skip
    with st.spinner(tr("Measuring the untrained networks …")):
        measured = [_shattering("plain", 1.0), _shattering("resnet", scale)]
    shown, noises = [found for found, _ in measured], _noises()
    frame.finding(
        _shattering_sentences(shown, depth, noises),
        tr(
            "{inputs} inputs, BN, untrained, {networks} networks each; all depths in {seconds:.1f} s.",
            inputs=len(shown[0].inputs),
            networks=_NETWORKS,
            seconds=sum(seconds for _, seconds in measured),
        ),  # fmt: skip
    )
    left, right = st.columns(2)
    with left:
        curves = shattering_plots.gradient_curves(shown, depth, _TALL)
        live_plot(curves, key="toys-gradients", height=_TALL, alt=shattering_plots.gradients_text(shown, depth))
    with right:
        lines = shattering_plots.correlations(shown, noises, depth, _TALL)
        live_plot(lines, key="toys-correlations", height=_TALL, alt=shattering_plots.correlations_text(shown, depth))
    st.caption(told(_SHATTERED))


def propagation() -> None:
    """What blocks add to what they are given, in real networks before the first step."""
    left, right = st.columns([3, 2])
    with address.kept("toys-layers", 56, _DEPTHS):
        depth = left.select_slider(
            tr("Layers"), _DEPTHS, key="toys-layers",
            help=tr("Weighted layers, 6n+2, as in section 4.2: {least} to {most}.", least=_DEPTHS[0], most=_DEPTHS[-1]),
        )  # fmt: skip
    with right:
        blocks = controls.pick(
            tr("Blocks"), list(_BLOCKS), "False", "toys-blocks", lambda name: told(_BLOCKS[name]),
            means=tr("**The paper's:** ReLU after the sum. **Pre-activation:** BN and ReLU before each convolution, "
                     "nothing after the sum (He et al. 2016)."),
        )  # fmt: skip
    data = sources.usual()
    source = resources.source(data).name
    reading.images(data, "toys")
    configs = _configs(depth, blocks == "True")
    with st.spinner(tr("Measuring the untrained networks …")):
        found = {key: _signals(config, source, data) for key, config in configs.items()}
    shown = {key: signals for key, (signals, _) in found.items()}
    frame.finding(
        _propagation_sentences(shown),
        tr(
            "Seed {seed}, {images} images of {data}, untrained; five networks in {seconds:.1f} s.",
            seed=_SEED,
            images=_IMAGES,
            data=controls.data_label(data),
            seconds=sum(seconds for _, seconds in found.values()),
        ),  # fmt: skip
    )
    figure = propagation_plots.signal_lines(shown)
    live_plot(
        figure,
        key="toys-signal",
        height=_PANELS_HEIGHT,
        alt=propagation_plots.alternative_text(shown),
        narrow=theme.stacked(figure, _NARROW_HEIGHT),
    )
    st.caption(told(_SIGNAL))


@st.cache_data(max_entries=32, show_spinner=False)
def _fits(kind: str, steps: int) -> tuple[tuple[linear.Fit, ...], float]:
    started = time.perf_counter()
    return linear.deep_linear(kind, steps, seed=_SEED), time.perf_counter() - started


@st.cache_data(max_entries=8, show_spinner=False)
def _shattering(family: str, scale: float) -> "tuple[Shattering, float]":
    from explorer.measurement.shattering import shattering

    started = time.perf_counter()
    return shattering(family, _DEEPEST, _NETWORKS, scale), time.perf_counter() - started


def _noises() -> dict[str, tuple[float, ...]]:
    from explorer.measurement.shattering import brown_noise, white_noise

    return {"white noise": white_noise(), "brown noise": brown_noise()}


@st.cache_data(max_entries=64, show_spinner=False)
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
        tr(
            "**Residual:** the largest ‖A‖ falls from {first:.2g} in {shallow} layer to {last:.2g} in {deep}; from "
            "{half} to {deep} it becomes {times:.2f} times as large. With {deep} layers {missing} of the target is "
            "missing.",
            first=first.norm, last=last.norm, shallow=first.depth, half=before.depth, deep=last.depth,
            times=last.norm / before.norm, missing=_missing(last.residual_loss),
        ),
        tr(
            "**Plain:** with {shallow} layer {first} of it is missing, with {deep} layers {last}.",
            shallow=first.depth, first=_missing(first.plain_loss), deep=last.depth, last=_missing(last.plain_loss),
        ),
    ]  # fmt: skip


def _missing(loss: float) -> str:
    """A share of the target, in words where it is out of all proportion."""
    if not math.isfinite(loss):
        return tr("everything (it diverged)")
    if loss < 1e-6:
        return tr("nothing")
    return f"{loss:.0%}" if loss >= 0.1 else f"{100 * loss:.2g}%" if loss >= 1e-4 else tr("less than 0.01%")


def _shattering_sentences(shown: "Sequence[Shattering]", depth: int, noises: dict[str, tuple[float, ...]]) -> list[str]:
    plain, residual = (found.neighbours for found in shown)
    values: dict[str, Any] = {
        "plain": _signed(plain[depth - 1]), "residual": _signed(residual[depth - 1]),
        "white": noises["white noise"][1], "brown": noises["brown noise"][1],
    }  # fmt: skip
    if depth == 1:
        here = tr(
            "With 1 layer neighbouring inputs' gradients correlate by **{plain}** in plain networks and by "
            "**{residual}** in residual ones: {white:.0f} would be white noise, {brown:.2f} a random walk.",
            **values,
        )
    else:
        here = tr(
            "With {depth} layers neighbouring inputs' gradients correlate by **{plain}** in plain networks and by "
            "**{residual}** in residual ones: {white:.0f} would be white noise, {brown:.2f} a random walk.",
            **values,
            depth=depth,
        )
    falls = (_halved(plain), _halved(residual))
    said = told(
        _HALVED[falls[0] is not None, falls[1] is not None],
        plain=falls[0] or len(plain), residual=falls[1] or len(residual),
    )  # fmt: skip
    return [here, said]


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _halved(values: Sequence[float]) -> int | None:
    """The depth at which the correlation falls below one half."""
    return next((depth for depth, value in enumerate(values, 1) if value < 0.5), None)


def _propagation_sentences(shown: "dict[tuple[str, bool], tuple[BlockSignal, ...]]") -> list[str]:
    from explorer.measurement.propagation import factor, rise

    normalised, free, plain = shown["resnet", True], shown["resnet", False], shown["plain", False]
    shares = [[signal.share for signal in signals if signal.share is not None] for signals in (normalised, free)]
    return [
        tr(
            "**With BN** the residual trunk grows by {rise:.2f} in each block, and the branch's share of it falls from "
            "{first:.0%} in the first block to {last:.0%} in the last.",
            rise=rise(normalised), first=shares[0][0], last=shares[0][-1],
        ),
        tr(
            "**Without BN** the trunk grows {factor:.1f}-fold in each block and the branch keeps a share of "
            "{share:.0%} (median); the plain signal ends at {end:.2g} of what it began with.",
            factor=factor(free), share=median(shares[1]), end=plain[-1].branch / plain[0].branch,
        ),
    ]  # fmt: skip
