"""The drawing of networks as a component that stays where it is: cards on blocks, folds that open, files to keep.

Which stages are unfolded is the component's own state, so a click costs one run of what is around it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import streamlit as st

from explorer.language import tr
from explorer.outline import Outline
from explorer.plots.architecture import drawing as picture
from explorer.plots.cards import alternative, cards
from explorer.ui import component

_HERE = Path(__file__)
_component = st.components.v2.component(
    "residual_drawing",
    css=_HERE.with_suffix(".css").read_text(),
    js=_HERE.with_suffix(".js").read_text(),
)


def drawing(
    outlines: Sequence[Outline],
    *,
    key: str,
    unfolded: Iterable[str] = (),
    pressed: Collection[str] | None = None,
    pressable: Collection[str] = (),
    on_press: Callable[[str], None] = lambda block: None,
) -> frozenset[str]:
    """Draw the networks side by side as the component called `key`; returns the names of the unfolded stages.

    `unfolded` are those that are unfolded at first; from then on the reader decides. Where `pressed` is given, those
    blocks are struck out, and `on_press` is called with the name of each of the `pressable` that the reader presses.
    """
    at_first = frozenset(unfolded)
    shown = _shown(key, outlines, at_first)
    data = {
        "key": key,
        "words": _words(),
        "svg": picture(outlines, shown),
        "alt": alternative(outlines),
        "cards": cards(outlines),
        "unfolded": sorted(shown),
        "file": "_".join(outline.network for outline in outlines),
        "pressed": None if pressed is None else sorted(pressed),
        "pressable": sorted(pressable),
    }

    def press() -> None:
        block = st.session_state[key].get("pressed")
        if block in pressable:  # the browser may send anything
            on_press(block)

    _component(
        key=key,
        data=component.sent(data),
        default={"unfolded": sorted(at_first)},
        height="content",
        on_unfolded_change=_nothing,  # without a callback the component has no such state
        on_pressed_change=press,
    )
    return shown


def _shown(key: str, outlines: Sequence[Outline], at_first: frozenset[str]) -> frozenset[str]:
    """The state as the browser last sent it, which may be anything; only stages count."""
    sent = st.session_state.get(key, {}).get("unfolded")
    if not isinstance(sent, list):
        return at_first
    return frozenset(stage.name for outline in outlines for stage in outline.stages if stage.name in sent)


def _words() -> dict[str, str]:
    """What the drawing's own parts say; what stands in # or {braces} is filled in there."""
    return {
        "download": tr("Download the drawing as #"),
        "blocks": tr("Blocks; the arrow keys lead from one to the next"),
        "counts": tr("{parameters} parameters · {macs} multiply-adds"),
        "equal": tr("Equal blocks: the numbers of one"),
        "layer": tr("layer"),
        "output": tr("output"),
        "parameters": tr("parameters"),
        "macs": tr("multiply-adds"),
    }


def _nothing() -> None:
    pass
