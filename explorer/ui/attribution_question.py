"""What is asked about an image: of which class, by which methods, compared with what, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.attribution.baselines import BASELINES
from explorer.attribution.method import Parameter
from explorer.attribution.methods import METHODS
from explorer.language import later, told, tr
from explorer.ui import address
from explorer.ui.attribution_maps import Parameters, Request, Subject, seconds

_DEFAULT_METHODS = ("saliency", "integrated_gradients", "grad_cam", "occlusion")
_PREDICTED, _TRUE = -1, -2
_PARAMETERS = {
    "samples": later("samples"),
    "noise": later("noise"),
    "steps": later("steps"),
    "tolerance": later("tolerance"),
    "epsilon": later("epsilon"),
    "layer": later("layer"),
    "window": later("window"),
    "stride": later("stride"),
    "patches": later("patches"),
}


@dataclass(frozen=True)
class Places:
    """Where the controls stand."""

    target: DeltaGenerator
    methods: DeltaGenerator
    settings: DeltaGenerator


@dataclass(frozen=True)
class Question:
    """What a visitor asks, and how the answer is shown."""

    target: int | None
    """The class to explain; None: what each network predicts."""
    requests: list[Request]
    opacity: float
    """Below 1 the image in grey shines through."""
    grids: bool
    """Coarse maps as they are, not scaled up."""
    of_label: bool = False
    """Whether the class was asked for as the image's own."""


def places() -> Places:
    """A row for the controls."""
    target, methods, settings = st.columns([4, 8, 3], vertical_alignment="bottom")
    return Places(target, methods, settings.popover(tr("Settings"), icon=":material/tune:", width="stretch"))


def question(places: Places, subjects: Sequence[Subject], classes: Sequence[str], label: int | None) -> Question:
    """The controls above the maps. `label` is the image's class, where it has one."""
    with places.target:
        target, of_label = _target(classes, label)
    with address.kept("attributions-methods", list(_DEFAULT_METHODS), METHODS):
        names: list[str] = places.methods.multiselect(
            tr("Methods"),
            list(METHODS),
            format_func=lambda name: METHODS[name].label,
            help="\n".join(f"* **{one.label}:** {told(one.explanation)}" for one in METHODS.values()),
            placeholder=tr("Choose options"),
            key="attributions-methods",
        )
    with places.settings:
        baseline = _baseline(names)
        opacity = st.slider(
            tr("Opacity of the maps"), 20, 100, 100, step=10, format="%d%%", key="attributions-opacity",
            help=tr("Below 100% the image in grey shines through."),
        )  # fmt: skip
        grids = st.toggle(
            tr("Coarse maps as they are"),
            key="attributions-grids",
            help=tr(
                "Grad-CAM has one value for each place of a stage, in the last one 8×8 of an image of 32×32, 4×4 of "
                "one of 16×16; else it is scaled up."
            ),  # fmt: skip
        )
        requests = [Request(name, baseline, _parameters(name)) for name in names]
        if requests:
            time = _time(seconds(list(subjects), requests))
            st.caption(tr("All maps together take about {time} on two CPU cores.", time=time))
    return Question(target, requests, opacity / 100, grids, of_label)


def _target(classes: Sequence[str], label: int | None) -> tuple[int | None, bool]:
    """The class, None for what each predicts, and whether it is asked for as the image's own."""
    options = [_PREDICTED, *([_TRUE] if label is not None else []), *range(len(classes))]
    shown = {_PREDICTED: tr("what each predicts")}
    if label is not None:
        shown[_TRUE] = tr("true class: {name}", name=classes[label])
    key = "attributions-target"
    with address.kept(key, _PREDICTED, options):  # an uploaded picture has no true class
        wanted: int = st.selectbox(
            tr("Explain the score of"),
            options,
            format_func=lambda index: shown.get(index) or classes[index],
            key=key,
            help=tr("The class whose score, the value before the softmax, the maps share out among the pixels."),
        )
    return (None if wanted == _PREDICTED else label if wanted == _TRUE else wanted), wanted == _TRUE


def _baseline(names: Sequence[str]) -> str:
    using = [METHODS[name].label for name in names if METHODS[name].uses_baseline]
    chosen: str = st.selectbox(
        tr("Baseline"),
        list(BASELINES),
        format_func=lambda name: told(BASELINES[name][0]),
        help=tr("What stands for 'nothing there' in: {methods}.", methods=", ".join(using))
        if using
        else tr("What stands for 'nothing there' in: none of the chosen methods."),
        key="attributions-baseline",
    )
    return chosen


def _parameters(name: str) -> Parameters:
    """Widgets for what a person may set of a method."""
    method = METHODS[name]
    if method.parameters:
        st.markdown(f"**{method.label}**")
    return tuple((key, _widget(f"attributions-{name}-{key}", key, one)) for key, one in method.parameters.items())


def _widget(key: str, name: str, one: Parameter) -> Any:
    label, help = told(_PARAMETERS.get(name, name)), told(one.description)
    if one.choices:
        return st.selectbox(label, one.choices, format_func=lambda choice: choice or tr("the last"), help=help, key=key)
    if isinstance(one.default, int):
        return int(st.number_input(label, int(one.low), int(one.high), one.default, help=help, key=key))
    step = 0.01 if one.high <= 1 else 0.1
    return float(st.number_input(label, one.low, one.high, float(one.default), step, help=help, key=key))


def _time(seconds: float) -> str:
    return tr("{number} s", number=f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}")
