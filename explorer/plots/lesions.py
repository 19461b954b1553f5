"""The error of a changed network: without each block, without several, with blocks exchanged; plain beside residual.

Figures 3 and 5 of Veit, Wilber, Belongie (2016).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import plotly.graph_objects as go

from explorer.language import tr
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


@dataclass(frozen=True)
class Changed:
    """One network's errors, as fractions, by how many changes were made to it, one for each draw."""

    family: str
    label: str
    whole: float
    errors: Mapping[int, Sequence[float]]


def lesion_bars(shown: Sequence[Lesioned], chance: float) -> go.Figure:
    """A panel a network, a bar a block in the order of the signal; the line is the whole network, grey is chance."""
    figure = theme.panels([one.label for one in shown], tr("test error"), hovermode="closest")
    for column, one in enumerate(shown, 1):
        colour = theme.colour(one.family)
        figure.add_trace(
            go.Bar(
                x=list(one.blocks), y=list(one.errors), showlegend=False,
                name=tr("{network} without the block", network=one.label),
                marker={"color": colour, "pattern": {"shape": ["/" if entry else "" for entry in one.entries]}},
                hovertemplate=tr("without %{x}: %{y:.1%}") + "<extra></extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        for level, name, line, named in (
            (one.whole, tr("whole network"), {"color": colour, "width": 2.5}, True),
            (chance, tr("chance"), {"color": theme.PAPER, "width": 1.5, "dash": "dash"}, column == 1),
        ):
            figure.add_trace(
                go.Scatter(
                    x=list(one.blocks), y=[level] * len(one.blocks), name=name, mode="lines", line=line,
                    showlegend=named, hoverinfo="skip",
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_layout(legend_y=-0.3, bargap=0.25)
    figure.update_xaxes(title_text=tr("block (stage.number)"), tickangle=-60, tickfont={"size": 10})
    for column, one in enumerate(shown, 1):
        short = [name.removeprefix("stage") for name in one.blocks]
        figure.update_xaxes(tickvals=list(one.blocks), ticktext=short, col=column)
    figure.update_yaxes(range=[0, 1])
    return figure


def changes(shown: Sequence[Changed], chance: float, what: str) -> go.Figure:
    """A point a draw over the number of changes, a line through the medians; `what` was counted. Grey is chance."""
    figure = go.Figure(layout=theme.layout(what, tr("test error"), hovermode="closest"))
    numbers = sorted({number for one in shown for number in one.errors})
    places = {number: index for index, number in enumerate([0, *numbers])}  # 1, 2, 4, 8: evenly apart
    for one in shown:
        line = theme.line(one.family, 0, "test", 1)
        medians = [one.whole, *(median(one.errors[number]) for number in one.errors)]
        figure.add_scatter(
            x=[places[number] for number in (0, *one.errors)], y=medians, name=one.label, legendgroup=one.label,
            mode="lines+markers", line=line, marker={"size": 7},
            hovertemplate=tr("median %{y:.1%}") + "<extra>" + one.label + "</extra>",
        )  # fmt: skip
        draws = [(places[number], error) for number, errors in one.errors.items() for error in errors]
        figure.add_scatter(
            x=[place for place, _ in draws], y=[error for _, error in draws], name=one.label, legendgroup=one.label,
            showlegend=False, mode="markers", marker={"color": line["color"], "size": 6, "opacity": 0.45},
            hovertemplate="%{y:.1%}<extra>" + tr("{network}, one draw", network=one.label) + "</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[0, len(numbers)], y=[chance, chance], name=tr("chance"), mode="lines", hoverinfo="skip",
        line={"color": theme.PAPER, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    figure.update_xaxes(tickvals=list(places.values()), ticktext=[str(number) for number in places])
    figure.update_yaxes(range=[0, 1])
    return figure


def alternative_text(shown: Sequence[Lesioned]) -> str:
    """What `lesion_bars` shows, in words."""
    values = [
        tr(
            "{network}: {whole:.1%} whole, between {low:.1%} and {high:.1%} without a block",
            network=one.label,
            whole=one.whole,
            low=min(one.errors),
            high=max(one.errors),
        )  # fmt: skip
        for one in shown
        if one.errors
    ]
    return tr("Test error without each block. {values}.", values="; ".join(values))


def changes_text(shown: Sequence[Changed], what: str) -> str:
    """What `changes` shows, in words."""
    values = []
    for one in shown:
        medians = [
            tr("{error:.1%} with {number}", error=median(errors), number=number)
            for number, errors in one.errors.items()
        ]
        values.append(
            tr(
                "{network}: {whole:.1%} unchanged, {medians}",
                network=one.label,
                whole=one.whole,
                medians=", ".join(medians),
            )  # fmt: skip
        )
    return tr("Median test error by {what}. {values}.", what=what, values="; ".join(values))
