"""A Plotly chart that is updated in place: mounted once, it keeps zoom and legend while its figure changes.

`st.plotly_chart` builds the chart anew whenever its figure changes, with or without a key.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.language import tr
from explorer.plots import theme
from explorer.ui import component, live_feed, notes, present, server

_HERE = Path(__file__)
_SCRIPTS = ("live_plot", "large_plot", "live_feed", "replay", "figure_table")
_component = st.components.v2.component(
    "residual_live_plot",
    css=_HERE.with_suffix(".css").read_text(),
    js="\n".join(_HERE.with_name(f"{name}.js").read_text() for name in _SCRIPTS),
    isolate_styles=False,  # plotly.js puts its styles into the document, unseen by a shadow root
)


@dataclass(frozen=True)
class Replay:
    """That the chart can be played from its beginning: what lies to the right of the moment is left out."""

    steps: int
    """The last value of x."""
    seconds: float
    """How long it took when it was measured."""


def live_plot(
    figure: theme.Figure,
    *,
    key: str,
    height: int,
    alt: str,
    narrow: theme.Narrow | None = None,
    replay: Replay | None = None,
) -> None:
    """Draw `figure`, `height` pixels high, as the chart called `key`; `alt` says in words what it shows.

    `narrow` is how the figure is arranged on a phone (`theme.stacked`).

    Zoom and legend survive while `layout.uirevision` stays the same, as it does if the figure leaves it out.
    """
    shown = {"figure": theme.to_json(figure), "alt": alt, "narrow": narrow}
    _mount(key, height, shown | {"replay": asdict(replay) if replay else None}, lambda: shown)


def watched_plot(name: str, feed: live_feed.Feed, *, key: str, height: int) -> None:
    """Draw the picture of a feed that was offered as `name`, and keep it new, with how far it is below it.

    When the feed's stage changes, the fragment that this is called in runs again.
    """
    stage = feed.stage  # before the picture: a change in between is seen at the first look
    shown = {**feed.picture().to_dict(), "feed": {"url": server.feed_url(name), "stage": stage}}
    _mount(key, height, shown, lambda: feed.picture().to_dict())


def _mount(key: str, height: int, shown: dict[str, Any], now: Callable[[], dict[str, Any]]) -> None:
    data = {"key": key, "height": height, "plotly": server.plotly_url(), "words": _words(), **shown}
    data["large"] = present.presenting()
    if not data["large"]:
        _keep_its_place(key, height, shown.get("narrow"))
    _component(
        key=key, data=component.sent(data), height="content", on_stage_change=_nothing, on_keep_change=notes.keeper(now)
    )


def _keep_its_place(key: str, height: int, narrow: theme.Narrow | None) -> None:
    """Leave the room that the chart will take, so that nothing below jumps when it comes."""
    waits = f".st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', key)}:not(:has(.residual-plot))"
    phone = f"@media (max-width: 640px) {{ {waits} {{ min-height: {narrow['height']}px }} }}" if narrow else ""
    st.html(f"<style>{waits} {{ min-height: {height}px }} {phone}</style>")


def _words() -> dict[str, str]:
    """What the chart's own controls say; # is a number or a format."""
    return {
        "download": tr("Download as #"),
        "keep": tr("Keep for my notes"),
        "failed": tr("The chart could not be drawn. Reload the page to try again."),
        "moment": tr("Moment of the training, in steps"),
        "speed": tr("How fast it is played"),
        "steps": tr("# steps"),
        "inSeconds": tr("in # s"),
        "asItWas": tr("as fast as it was"),
        "play": tr("Play the training again"),
        "pause": tr("Pause the replay"),
    }


def _nothing() -> None:
    """Without a callback the component has no such trigger."""
