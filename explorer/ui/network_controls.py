"""The widgets that make up a network. Its name in the address is their whole state."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from explorer.config import NetworkConfig, depths, network
from explorer.errors import RequestError
from explorer.families import BLOCKS, FAMILIES
from explorer.language import later, told, tr
from explorer.network_config import INITIALISATIONS
from explorer.ui import frame

_DESIGNS = {"cifar": "CIFAR-10", "imagenet": "ImageNet"}
_SHORTCUTS = {"A": later("A · identity"), "B": later("B · some projected"), "C": later("C · all projected")}
_NO_SHORTCUT = {"none": later("none")}
"""Offered too where the plain network has no family of its own."""
_SHORTCUT_HELP = later(
    "Where the shape changes **A** takes every second pixel and pads zeros, **B** projects by a 1×1 layer; "
    "**C** projects everywhere."
)
_BLOCKS = {"basic": "3×3, 3×3", "bottleneck": "1×1, 3×3, 1×1"}
_INITS = dict(zip(INITIALISATIONS, ("Kaiming", "Xavier", later("too small"), later("too large")), strict=True))
_DEPTHS = {2: (*range(8, 117, 6), 164, 302, 602, 1202), 3: (*range(11, 120, 9), 164, 326, 650, 1001)}
"""What the slider offers, by the layers of a block."""
_WIDTHS = {"cifar": (4, 8, 16, 32, 64, 128), "imagenet": (16, 32, 64, 128)}


def chosen(key: str, default: str) -> NetworkConfig:
    """The network that the widgets called `key` stand at; the address parameter `key` holds its name.

    A name that came by the address moves the widgets; a wrong one is told in a line, and they stay where they are.
    """
    before = st.session_state.get(f"{key}-name")
    named = st.query_params.get(key) or before or default
    if named != before:
        try:
            _move(key, network(named))
        except RequestError as error:
            frame.show_error(error)
            if before is None:
                _move(key, network(default))
    config = _widgets(key)
    st.session_state[f"{key}-name"] = config.name
    if st.query_params.get(key) != config.name:
        st.query_params[key] = config.name
    return config


def _move(key: str, config: NetworkConfig) -> None:
    """Set every widget to what the config says, before they are drawn."""
    for f in fields(config):
        st.session_state[f"{key}-{f.name}"] = getattr(config, f.name)
    st.session_state[f"{key}-family"] = config.family
    st.session_state[f"{key}-width-{config.design}"] = config.width
    st.session_state[_depth_key(key, config.design, config.block)] = config.depth


def _widgets(key: str) -> NetworkConfig:
    made_for, of_family = st.columns([4, 7])
    with made_for:
        design = _row(key, "design", tr("Made for"), list(_DESIGNS), _DESIGNS, tr("What the network classifies."))
    with of_family:
        family = _family(key, design)
    if family == "googlenet":
        return network("googlenet")
    bare = network("vgg-19" if family == "vgg" else f"{family}-34@imagenet" if design == "imagenet" else f"{family}-20")
    how_deep, how_wide, shortcut_place, block_place = st.columns([5, 3, 4, 3])
    block = bare.block
    if design == "cifar" and family in ("plain", "resnet", "preresnet"):
        with block_place:
            help_text = tr("Two 3×3 layers, or the bottleneck of Fig. 5.")
            block = _pick(key, "block", tr("Block"), list(_BLOCKS), _BLOCKS, help_text)
    with how_deep:
        depth = _depth(key, design, family, block)
    if design == "imagenet" and family != "vgg":
        block = "bottleneck" if depth >= 50 else "basic"
    values: dict[str, Any] = {"depth": depth, "block": block}
    if bare.shortcut in _SHORTCUTS:
        with shortcut_place:
            help_text = told(_SHORTCUT_HELP)
            words = _SHORTCUTS | (_NO_SHORTCUT if FAMILIES[family].known_by == "block" else {})
            values["shortcut"] = _pick(key, "shortcut", tr("Shortcut"), list(words), words, help_text)
    if family != "vgg":
        name = f"width-{design}"
        widths = sorted({*_WIDTHS[design], st.session_state.get(f"{key}-{name}", bare.width)})
        with how_wide:
            help_text = tr("Channels of the first stage.")
            values["width"] = _slide(key, name, tr("Width"), widths, bare.width, help_text)
    carries = values.get("shortcut", "").removeprefix("none")
    return replace(bare, **values, **_more(key, family, block, carries))


def _family(key: str, design: str) -> str:
    words = {name: family.label for name, family in FAMILIES.items() if design in family.designs}
    said = [f"**{told(one.label)}:** {told(one.explanation)}." for one in FAMILIES.values() if one.explanation]
    return _row(key, "family", tr("Family"), list(words), words, "  \n".join(said))


def _more(key: str, family: str, block: str, shortcut: str) -> dict[str, Any]:
    """What few want to change."""
    values: dict[str, Any] = {}
    with st.expander(tr("More: normalisation, initialisation, strength of the shortcut")):
        columns = iter(st.columns(6))
        if family != "skipinit":
            st.session_state.setdefault(f"{key}-bn", family != "vgg")
            values["bn"] = next(columns).toggle(
                tr("Batch normalisation"), key=f"{key}-bn",
                help=tr("After each convolution and before the nonlinearity, as in section 3.4."),
            )  # fmt: skip
        if family == "vgg":
            return values
        with next(columns):
            help_text = tr("Half and twice Kaiming's standard deviation are too small and too large.")
            values["init"] = _pick(key, "init", tr("Initialisation"), list(_INITS), _INITS, help_text)
        tenths = [tenth / 10 for tenth in range(11)]
        if block == "basic":
            with next(columns):
                help_text = tr("Between the two layers of each block; the paper uses none.")
                values["dropout"] = _slide(key, "dropout", tr("Dropout"), tenths[:10], 0.0, help_text)
        if shortcut:
            with next(columns):
                help_text = tr("y = F(x) + strength · x: 0 computes what a plain network does.")
                values["strength"] = _slide(key, "strength", tr("Shortcut strength"), tenths, 1.0, help_text)
            with next(columns):
                help_text = tr(
                    "Stochastic depth: training leaves blocks out at random, the last ones most (Huang 2016)."
                )
                values["survival"] = _slide(key, "survival", tr("Last block kept"), tenths[1:], 1.0, help_text)
        if shortcut == "A":
            with next(columns):
                places = {"after": later("after the others"), "around": later("half before, half after")}
                help_text = tr("The paper does not say.")
                values["zeros"] = _pick(key, "zeros", tr("Zero channels"), list(places), places, help_text)
        elif block == "bottleneck":
            with next(columns):
                strides = {"1x1": later("1×1 (the paper)"), "3x3": "3×3 (torchvision)"}
                help_text = tr("Which layer of a stage's first block halves the map.")
                values["stride_in"] = _pick(key, "stride_in", tr("Stride 2 in"), list(strides), strides, help_text)
        if family == "highway":
            biases = [-float(bias) for bias in range(10, -3, -1)]
            with next(columns):
                help_text = tr("Where gates start; below 0 they begin nearly closed.")
                values["gate_bias"] = _slide(key, "gate_bias", tr("Gate bias"), biases, -2.0, help_text)
    return values


def _depth(key: str, design: str, family: str, block: str) -> int:
    """One of the depths that exist, the nearest to the last one chosen."""
    layers = BLOCKS.get(block, 0)
    known: Sequence[int] = _DEPTHS.get(layers, ()) if design == "cifar" else _imagenet_depths(family)
    own = _depth_key(key, design, "vgg" if family == "vgg" else block)
    last = st.session_state.get(own, st.session_state.get(f"{key}-depth", 20))
    options = sorted({*known, *([last] if design == "cifar" and last in depths(block) else [])})
    if st.session_state.get(own) not in options:
        st.session_state[own] = min(options, key=lambda depth: abs(depth - last))
    help_text = tr("Weighted layers: {factor}n+2.", factor=3 * layers) if design == "cifar" else tr("Weighted layers.")
    depth = int(st.select_slider(tr("Depth"), options, key=own, help=help_text))
    st.session_state[f"{key}-depth"] = depth
    return depth


def _imagenet_depths(family: str) -> Sequence[int]:
    if family == "vgg":
        return depths("vgg", "imagenet")
    return (*depths("basic", "imagenet"), *depths("bottleneck", "imagenet"))


def _depth_key(key: str, design: str, block: str) -> str:
    if design == "imagenet":
        return f"{key}-depth-{'vgg' if block == 'vgg' else design}"
    return f"{key}-depth-{design}-{block}"


def _row(key: str, name: str, label: str, options: Sequence[str], words: dict[str, str], help_text: str) -> str:
    """One of a few, side by side."""
    own = f"{key}-{name}"
    if st.session_state.get(own) not in options:
        st.session_state[own] = "resnet" if "resnet" in options else options[0]
    picked = st.segmented_control(
        label, options, required=True, format_func=lambda one: told(words[one]), help=help_text, key=own
    )
    return str(picked)


def _pick(key: str, name: str, label: str, options: Sequence[str], words: dict[str, str], help_text: str) -> str:
    """One of a few, in a list."""
    own = f"{key}-{name}"
    if st.session_state.get(own) not in options:
        st.session_state[own] = options[0]
    return str(st.selectbox(label, options, format_func=lambda one: told(words[one]), help=help_text, key=own))


def _slide(key: str, name: str, label: str, options: Sequence[float], default: float, help_text: str) -> Any:
    own = f"{key}-{name}"
    if st.session_state.get(own) not in options:
        st.session_state[own] = default
    return st.select_slider(label, options, key=own, help=help_text)
