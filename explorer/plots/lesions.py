"""The error without each block: Figure 3 of Veit, Wilber, Belongie (2016), plain beside residual."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.plots import theme


@dataclass(frozen=True)
class Lesioned:
    """One network's errors without each of its blocks, as fractions."""

    family: str
    label: str
    blocks: Sequence[str]
    errors: Sequence[float]
    whole: float
    entries: Sequence[bool]
    """Which blocks change the shape."""


def lesion_bars(shown: Sequence[Lesioned], chance: float) -> go.Figure:
    """A panel a network, a bar a block in the order of the signal; the line is the whole network, grey is chance."""
    figure = theme.panels([one.label for one in shown], "test error", hovermode="closest")
    for column, one in enumerate(shown, 1):
        colour = theme.colour(one.family)
        figure.add_trace(
            go.Bar(
                x=list(one.blocks), y=list(one.errors), name=f"{one.label} without the block", showlegend=False,
                marker={"color": colour, "pattern": {"shape": ["/" if entry else "" for entry in one.entries]}},
                hovertemplate="without %{x}: %{y:.1%}<extra></extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        for level, name, line in (
            (one.whole, "whole network", {"color": colour, "width": 2.5}),
            (chance, "chance", {"color": theme.PAPER, "width": 1.5, "dash": "dash"}),
        ):
            figure.add_trace(
                go.Scatter(
                    x=list(one.blocks), y=[level] * len(one.blocks), name=name, mode="lines", line=line,
                    showlegend=column == 1 or name == "whole network", hoverinfo="skip",
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_layout(legend_y=-0.3, bargap=0.25)
    figure.update_xaxes(tickangle=-60, tickfont={"size": 10})
    figure.update_yaxes(range=[0, 1])
    return figure


def alternative_text(shown: Sequence[Lesioned]) -> str:
    """What `lesion_bars` shows, in words."""
    told = [
        f"{one.label}: {one.whole:.1%} whole, between {min(one.errors):.1%} and {max(one.errors):.1%} without a block"
        for one in shown
        if one.errors
    ]
    return "Test error without each block. " + "; ".join(told) + "."
