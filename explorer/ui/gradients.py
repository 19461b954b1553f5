"""The panels of gradients: before the first step, with and without BN; and over the training of chosen runs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.config import NetworkConfig
from explorer.data import sources
from explorer.language import later, told, tr
from explorer.plots import theme
from explorer.plots.gradients import LayerLine, alternative_text, layer_lines
from explorer.records import EvaluationRecord
from explorer.runs import Run
from explorer.ui import address, controls, frame, reading, resources, sitemap
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import final, labels, most_trained, records, shared

if TYPE_CHECKING:
    from explorer.measurement.initialisation import Start

_DEPTHS = (8, 20, 32, 56, 110)
_INITIALISATIONS = {
    "small": later("half of He's"),
    "xavier": later("Xavier's"),
    "kaiming": later("He's (the paper's)"),
    "large": later("twice He's"),
}
_SHOWN = {"gradient": later("Gradient of the weights"), "signal": later("Signal")}
_CHANGES = {  # with BN, without
    ("gradient", 0): later(
        "**With BN** gradient changes from the last layer back to the first {plain} in {plain_name} and {resnet} in "
        "{resnet_name}."
    ),
    ("gradient", 1): later(
        "**Without BN** gradient changes from the last layer back to the first {plain} in {plain_name} and {resnet} in "
        "{resnet_name}."
    ),
    ("signal", 0): later(
        "**With BN** signal changes from the first layer to the last {plain} in {plain_name} and {resnet} in "
        "{resnet_name}."
    ),
    ("signal", 1): later(
        "**Without BN** signal changes from the first layer to the last {plain} in {plain_name} and {resnet} in "
        "{resnet_name}."
    ),
}
_IMAGES, _IMAGE_SIZE, _SEED = 64, 16, 0
_VANISHED = 1000
_HEIGHT, _NARROW_HEIGHT = 360, 620
_FAMILIES = ("plain", "resnet")


def before_training() -> None:
    """Four networks of one depth, plain and residual, with BN and without, measured at once."""
    left, middle, right = st.columns(3)
    with address.kept("gradients-depth", 56, _DEPTHS):
        depth = left.select_slider(
            tr("Layers"), _DEPTHS, key="gradients-depth",
            help=tr("Weighted layers, 6n+2, as in section 4.2: {least} to {most}.", least=_DEPTHS[0], most=_DEPTHS[-1]),
        )  # fmt: skip
    with address.kept("gradients-init", "kaiming", _INITIALISATIONS):
        init = middle.selectbox(
            tr("Initial weights"),
            list(_INITIALISATIONS),
            format_func=lambda name: told(_INITIALISATIONS[name]),
            key="gradients-init",
            help=tr(
                "Their standard deviation. He's keeps the signal's size through ReLUs: sqrt(2 / inputs) (reference 13)."
            ),
        )
    with right:
        what = controls.pick(
            tr("Show"), list(_SHOWN), "gradient", "gradients-what", lambda what: told(_SHOWN[what]),
            means=tr("**Gradient of the weights:** how much the loss changes with those of a layer, as a norm. "
                     "**Signal:** how much a layer's output varies, as a standard deviation."),
        )  # fmt: skip
    data = sources.usual()
    reading.images(data, "gradients")
    lines = [_line(family, bn, depth, init, what, data) for family in _FAMILIES for bn in (True, False)]
    frame.finding(
        _start_sentences(lines, what),
        tr("Seed {seed}, {images} images at {size}×{size} pixels.", seed=_SEED, images=_IMAGES, size=_IMAGE_SIZE),
    )
    title = tr("norm of the gradient") if what == "gradient" else tr("standard deviation of the response")
    _draw(lines, title, "gradients-start")


def over_training() -> None:
    """The norms that were recorded at each evaluation of chosen runs."""
    choices = [run for run in resources.catalogue().runs() if _evaluations(run)]
    if not choices:
        st.info(tr("No run with gradients has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some: Degradation"))
        return
    usual = [run for run in most_trained(choices) if run.config.seed == 0]
    chosen = controls.runs(tr("Networks"), choices, usual, key="gradients-runs")
    if not chosen:
        st.info(tr("Choose at least one network."), icon=":material/info:")
        return
    controls.playing(partial(_at_a_moment, chosen), key="gradients-share")


def _at_a_moment(chosen: Sequence[Run]) -> None:
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        share = controls.moment("gradients-share")
    with address.kept("gradients-relative", False):
        relative = right.toggle(
            tr("Relative to the weights"),
            key="gradients-relative",
            help=tr(
                "Divided by the norm of the layer's weights: BN makes the scale of the weights before it meaningless, "
                "so that the larger they have grown the less a step turns them."
            ),
        )
    names = labels(chosen)
    lines = [_recorded(run, names[run.run], share, relative) for run in chosen]
    said = [_range_sentence(line, run) for line, run in zip(lines, chosen, strict=True)]
    frame.finding([_verdict(lines, relative)], f"{' '.join(said)} {shared(chosen)}".rstrip())
    if chosen[0].provenance:
        frame.provenance_badge(replace(chosen[0].provenance, seconds=0))
    title = tr("norm of the gradient / norm of the weights") if relative else tr("norm of the gradient")
    _draw(lines, title, "gradients-training")


def _draw(lines: Sequence[LayerLine], title: str, key: str) -> None:
    figure = layer_lines(lines, title)
    narrow = theme.stacked(figure, _NARROW_HEIGHT)
    live_plot(figure, key=key, height=_HEIGHT, alt=alternative_text(lines, title), narrow=narrow)


def _line(family: str, bn: bool, depth: int, init: str, what: str, data: str) -> LayerLine:
    config = NetworkConfig(depth, "none" if family == "plain" else "A", bn=bn, init=init)
    with st.spinner(tr("Measuring the untrained networks …")):
        start = _start(config, resources.source(data).name, data)
    layers = start.gradients if what == "gradient" else start.responses
    values = [g.norm for g in start.gradients] if what == "gradient" else [r.std for r in start.responses]
    name = f"{family}-{depth}"
    label = name if bn else tr("{network} without BN", network=name)
    return LayerLine(family, depth, label, [layer.layer for layer in layers], values, 0 if bn else 1)


@st.cache_data(max_entries=128, show_spinner=False)
def _start(config: NetworkConfig, name: str, data: str) -> "Start":
    from explorer.config import TrainingConfig
    from explorer.data.prepared import prepared
    from explorer.measurement.initialisation import at_start

    few = TrainingConfig(image_size=_IMAGE_SIZE, train_images=1000, test_images=100)
    ready = prepared(resources.images(data), few)
    images = ready.normalization(ready.train_images[:_IMAGES])
    return at_start(config, images, ready.train_labels[:_IMAGES], _SEED)


def _start_sentences(lines: Sequence[LayerLine], what: str) -> list[str]:
    """One with BN, one without: how much the first layer's value differs from the last's, or the last's from it."""
    said = []
    for variant in (0, 1):
        values = {line.family: _fold(line.values, what) for line in lines if line.variant == variant}
        names = {f"{line.family}_name": f"{line.family}-{line.depth}" for line in lines if line.variant == variant}
        said.append(told(_CHANGES[what, variant], **values, **names))
    return said


def _fold(values: Sequence[float], what: str) -> str:
    """By what factor the value changes on its way: a gradient goes from the last layer to the first."""
    start, end = (values[-1], values[0]) if what == "gradient" else (values[0], values[-1])
    if not (math.isfinite(start) and math.isfinite(end)) or not start:
        return tr("beyond all numbers")
    if not end:
        return tr("to nothing")
    power = math.log10(end / start)
    if -2 < power < 3:
        number = f"{end / start:.2g}" if power < 1 else f"{end / start:.0f}"
    else:
        number = f"10^{round(power)}".replace("^-", "^−")
    return tr("{number}-fold", number=number)


def _evaluations(run: Run) -> list[EvaluationRecord]:
    return [record for record in records(run) if isinstance(record, EvaluationRecord) and record.gradients]


def _recorded(run: Run, label: str, share: float, relative: bool) -> LayerLine:
    at = share * run.config.training.steps
    nearest = min(_evaluations(run), key=lambda record: abs(record.step - at))
    layers = [gradient.layer for gradient in nearest.gradients]
    values = [gradient.norm / (gradient.weight_norm if relative else 1) for gradient in nearest.gradients]
    return LayerLine(run.config.network.family, run.config.network.depth, label, layers, values)


def _range_sentence(line: LayerLine, run: Run) -> str:
    last = final(run)
    values: dict[str, Any] = {"network": line.label, "low": min(line.values), "high": max(line.values)}
    if not last:
        return tr("{network}: from {low:.2g} to {high:.2g}.", **values)
    return tr(
        "{network}: from {low:.2g} to {high:.2g}, training error {error:.1%}.", **values, error=last.training_error
    )


def _verdict(lines: Sequence[LayerLine], relative: bool) -> str:
    """Whether a gradient vanishes: is less than a thousandth of its network's median. Without BN it would be 10^-10."""
    vanishing = [line.label for line in lines if min(line.values) < median(line.values) / _VANISHED]
    if vanishing:
        return tr(
            "Some layers' gradients are less than a thousandth of the median in {networks}.",
            networks=", ".join(vanishing),
        )
    if relative:
        return tr("No layer's gradient vanishes, relative to its weights either.")
    return tr("No layer's gradient vanishes in any of them.")


def range_at_the_end(run: Run) -> str:
    """Between which norms a finished run's gradients lay at its end, and its training error, as a sentence."""
    norms = _recorded(run, run.config.network.name, 1.0, False).values
    last = final(run)
    assert last
    return tr(
        "At the end the norms of {network}'s gradients lay between {low:.2g} and {high:.2g}, layer by layer; its "
        "training error was {error:.1%}.",
        network=run.config.network.name, low=min(norms), high=max(norms), error=last.training_error,
    )  # fmt: skip


def vanishing(run: Run) -> bool:
    """Whether a layer's gradient was less than a thousandth of its network's median at any evaluation of a run."""
    norms = [[gradient.norm for gradient in record.gradients] for record in _evaluations(run)]
    return any(min(found) < median(found) / _VANISHED for found in norms)
