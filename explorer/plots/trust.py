"""Figures about how far maps can be trusted: deletion and insertion, and the sanity check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from explorer.language import tr
from explorer.plots import theme

if TYPE_CHECKING:
    from explorer.measurement.deletion import Curves

_COLOURS = ("#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5b5f97", "#838a94")
"""Of methods: none of them is a family's."""
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class Curved:
    """One network's curves for one map."""

    family: str
    label: str
    curves: "Curves"


@dataclass(frozen=True)
class Cascade:
    """One network's maps while its weights are made random from the top down."""

    label: str
    layers: Sequence[str]
    """The lowest random part, the trained network first."""
    similarity: Mapping[str, Sequence[float]]
    """By method: rank correlation of |values| with the trained network's maps."""


def deletion_insertion(shown: Sequence[Curved]) -> go.Figure:
    """Two panels: the class's probability while pixels are taken away, and while they are put in."""
    figure = theme.panels([tr("pixels taken away"), tr("pixels put in")], tr("probability of the class"))
    for one in shown:
        for column, values in enumerate((one.curves.deletion, one.curves.insertion), 1):
            figure.add_trace(
                go.Scatter(
                    x=one.curves.shares, y=values, name=one.label, mode="lines", legendgroup=one.label,
                    showlegend=column == 1, line={"color": theme.colour(one.family), "width": 2.5},
                    hovertemplate=f"{one.label} %{{y:.1%}}<extra></extra>",
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", title_text=tr("share of the pixels, the most important first"))
    figure.update_yaxes(range=[0, 1.02])
    return figure


def deletion_insertion_text(shown: Sequence[Curved]) -> str:
    """What `deletion_insertion` shows, in words."""
    said = [
        tr(
            "{name}: area {deletion:.2f} as they go, {insertion:.2f} as they come",
            name=one.label,
            deletion=one.curves.deletion_area,
            insertion=one.curves.insertion_area,
        )
        for one in shown
    ]
    return tr("Probability of the class as pixels go and come. {figures}.", figures="; ".join(said))


def sanity_lines(shown: Sequence[Cascade], names: Mapping[str, str]) -> go.Figure:
    """A panel a network, a line a method: 1 means that the map has not noticed what the network forgot."""
    figure = theme.panels([one.label for one in shown], tr("rank correlation"), percent=False)
    for column, one in enumerate(shown, 1):
        layers = [tr("trained"), *one.layers[1:]]
        for index, (method, values) in enumerate(one.similarity.items()):
            line = {"color": _COLOURS[index % len(_COLOURS)], "width": 2.5, "dash": _DASHES[index % len(_DASHES)]}
            figure.add_trace(
                go.Scatter(
                    x=layers, y=list(values), name=names[method], mode="lines", line=line, legendgroup=method,
                    showlegend=column == 1, hovertemplate=f"{names[method]} %{{y:.2f}}<extra></extra>",
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_layout(legend_y=-0.35)
    figure.update_xaxes(tickangle=-60, tickfont={"size": 10})
    figure.update_yaxes(range=[-0.1, 1.05])
    return figure


def sanity_text(shown: Sequence[Cascade], names: Mapping[str, str]) -> str:
    """What `sanity_lines` shows, in words."""
    said = [
        f"{one.label}, {names[method]}: {values[-1]:.2f}" for one in shown for method, values in one.similarity.items()
    ]
    return tr(
        "Similarity to the trained network's map, with weights random down to the last one done: {figures}.",
        figures="; ".join(said),
    )
