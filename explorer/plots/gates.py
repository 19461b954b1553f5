"""How far Highway gates open: block by block at one moment, and all blocks over the training."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.language import tr
from explorer.plots import theme
from explorer.records import GateOpenness

_FAMILY = "highway"


@dataclass(frozen=True)
class Moment:
    """All gates of a network after so many steps."""

    step: int
    gates: Sequence[GateOpenness]


def openness(now: Moment, start: Moment) -> go.Figure:
    """Mean openness by block with a band for what the data decide; dotted: before the first step."""
    figure = go.Figure(layout=theme.layout(tr("block"), tr("openness T"), percent=False, hovermode="closest"))
    numbers = list(range(1, len(now.gates) + 1))
    if not now.gates:
        return figure
    low = [gate.mean - gate.by_data for gate in now.gates]
    high = [gate.mean + gate.by_data for gate in now.gates]
    figure.add_scatter(
        x=[*numbers, *reversed(numbers)], y=[*high, *reversed(low)], fill="toself", mode="lines", line={"width": 0},
        fillcolor=theme.band(_FAMILY, 1), name=tr("± what the data decide"), hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=numbers, y=[gate.mean for gate in start.gates], name=tr("before the first step"), mode="lines",
        line={"color": theme.PAPER, "width": 1.5, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=numbers, y=[gate.mean for gate in now.gates], name=tr("mean of T"), mode="lines+markers",
        line=theme.line(_FAMILY, 1, "test"), marker={"size": 7},
        customdata=[[gate.block, gate.by_data, gate.shut] for gate in now.gates],
        hovertemplate=tr("%{customdata[0]}: %{y:.3f} ± %{customdata[1]:.3f}; above 0.9: %{customdata[2]:.1%}")
        + "<extra></extra>",
    )  # fmt: skip
    return figure


def course(moments: Sequence[Moment], now: Moment) -> go.Figure:
    """A row a block, the steps from left to right, the darker the more open; a line at the moment looked at."""
    blocks = [gate.block for gate in now.gates]
    figure = go.Figure(layout=theme.layout(tr("step"), tr("block"), percent=False, hovermode="closest"))
    colour = theme.colour(_FAMILY)
    figure.add_heatmap(
        x=[moment.step for moment in moments],
        y=list(range(1, len(blocks) + 1)),
        z=[[moment.gates[index].mean for moment in moments] for index in range(len(blocks))],
        zmin=0, zmax=_highest(moments), colorscale=[[0, "rgba(0,144,104,0)"], [1, colour]],
        customdata=[[block] * len(moments) for block in blocks],
        colorbar={"title": {"text": "T"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate=tr("%{customdata}, step %{x:,}: %{z:.3f}") + "<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=now.step, line={"color": theme.PAPER, "width": 1.5, "dash": "dot"})
    figure.update_yaxes(rangemode="normal", autorange="reversed", dtick=max(1, len(blocks) // 8))
    return figure


def _highest(moments: Sequence[Moment]) -> float:
    """The end of the scale: the next tenth above all means."""
    return math.ceil(10 * max((gate.mean for moment in moments for gate in moment.gates), default=1.0)) / 10


def openness_text(now: Moment, start: Moment) -> str:
    """What `openness` shows, in words."""
    values = ", ".join(f"{gate.block} {gate.mean:.2f}" for gate in now.gates)
    at_first = start.gates[0].mean if start.gates else 0.0
    return tr(
        "Mean openness of each gate after {step:,} steps: {values}. Before the first step the first gate had "
        "{start:.2f}.",
        step=now.step, values=values, start=at_first,
    )  # fmt: skip


def course_text(moments: Sequence[Moment]) -> str:
    """What `course` shows, in words."""
    said = [
        tr("{mean:.2f} after {step:,} steps", mean=sum(g.mean for g in one.gates) / len(one.gates), step=one.step)
        for one in moments
        if one.gates
    ]
    return tr("Openness of the gates over the training, on average {values}.", values=", ".join(said))
