"""A page with one live chart that grows every half second, for the browser tests."""

import itertools

import plotly.graph_objects as go
import streamlit as st

from explorer.plots import theme
from explorer.records import Provenance
from explorer.ui import frame
from explorer.ui.live_plot import live_plot

SPLITS = ("train", "test")


def curves(points: int) -> go.Figure:
    """Four networks' errors after so many evaluations."""
    figure = go.Figure(layout=theme.layout("steps", "error"))
    for (family, rank), split in itertools.product([("plain", 0), ("plain", 1), ("resnet", 0), ("resnet", 1)], SPLITS):
        base = {"plain": (0.2, 0.45), "resnet": (0.15, 0.08)}[family][rank] + (0.04 if split == "test" else 0)
        x = list(range(0, points * 100, 100))
        y = [base + (0.9 - base) / (1 + step / 300) for step in x]
        name = f"{family}-{(8, 32)[rank]} {split}"
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=theme.line(family, rank, split))
    return figure


@st.fragment(run_every=0.5)
def growing() -> None:
    """Add a point a tick, up to 60; then the figure stays as it is."""
    st.session_state["points"] = points = min(st.session_state.get("points", 5) + 1, 60)
    live_plot(curves(points), key="curves", height=380, alt="Errors of four networks over steps")
    st.caption(f"points {points}")


frame.begin("Live", "Is learning better networks as easy as stacking more layers?")
for origin in ("live", "recorded", "paper"):
    frame.provenance_badge(
        Provenance(origin, "2 cores", "fp32", "2026-01-02T03:04:05Z", {"torch": "2"}, "CIFAR-10", 51)
    )
growing()
with frame.errors_in_place():
    raise frame.ExplorerError("plain-21 is no network: the nearest are plain-20 and plain-26")
st.button("Run it here", type="primary")
