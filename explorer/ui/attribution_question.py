"""What is asked about an image: of which class, by which methods, compared with what, and how it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.attribution.baselines import BASELINES
from explorer.attribution.method import Parameter
from explorer.attribution.methods import METHODS
from explorer.ui.attribution_maps import Parameters, Request, Subject, seconds

_DEFAULT_METHODS = ("saliency", "integrated_gradients", "grad_cam", "occlusion")
_PREDICTED, _TRUE = -1, -2
_DETAILS = "\n".join(f"* **{one.label}:** {one.explanation}" for one in METHODS.values())


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


def places() -> Places:
    """A row for the controls."""
    target, methods, settings = st.columns([4, 8, 3], vertical_alignment="bottom")
    return Places(target, methods, settings.popover("Settings", icon=":material/tune:", width="stretch"))


def question(places: Places, subjects: Sequence[Subject], classes: Sequence[str], label: int | None) -> Question:
    """The controls above the maps. `label` is the image's class, where it has one."""
    with places.target:
        target = _target(classes, label)
    names: list[str] = places.methods.multiselect(
        "Methods",
        list(METHODS),
        default=list(_DEFAULT_METHODS),
        format_func=lambda name: METHODS[name].label,
        help=_DETAILS,
        key="attributions-methods",
    )
    with places.settings:
        baseline = _baseline(names)
        opacity = st.slider("Opacity of the maps", 20, 100, 100, step=10, format="%d%%", key="attributions-opacity")
        grids = st.toggle(
            "Coarse maps as they are",
            key="attributions-grids",
            help="Grad-CAM has one value for each place of a stage, 8×8 in the last one; else it is scaled up.",
        )
        requests = [Request(name, baseline, _parameters(name)) for name in names]
        if requests:
            st.caption(f"All maps together take about {_told(seconds(list(subjects), requests))} on two CPU cores.")
    return Question(target, requests, opacity / 100, grids)


def _target(classes: Sequence[str], label: int | None) -> int | None:
    options = [_PREDICTED, *([_TRUE] if label is not None else []), *range(len(classes))]
    shown = {_PREDICTED: "what each predicts"} | ({_TRUE: f"true class: {classes[label]}"} if label is not None else {})
    key = "attributions-target"
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # an uploaded picture has no true class
    wanted: int = st.selectbox(
        "Explain the score of", options, format_func=lambda index: shown.get(index) or classes[index], key=key
    )
    return None if wanted == _PREDICTED else label if wanted == _TRUE else wanted


def _baseline(names: Sequence[str]) -> str:
    using = [METHODS[name].label for name in names if METHODS[name].uses_baseline]
    chosen: str = st.selectbox(
        "Baseline",
        list(BASELINES),
        format_func=lambda name: BASELINES[name][0],
        help=f"What stands for 'nothing there' in: {', '.join(using) or 'none of the chosen methods'}.",
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
    if one.choices:
        return st.selectbox(
            name, one.choices, format_func=lambda choice: choice or "the last", help=one.description, key=key
        )
    if isinstance(one.default, int):
        return int(st.number_input(name, int(one.low), int(one.high), one.default, help=one.description, key=key))
    step = 0.01 if one.high <= 1 else 0.1
    return float(st.number_input(name, one.low, one.high, float(one.default), step, help=one.description, key=key))


def _told(time: float) -> str:
    return f"{time:.1f} s" if time < 10 else f"{time:.0f} s"
