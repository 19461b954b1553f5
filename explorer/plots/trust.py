"""Figures about how far maps can be trusted: deletion and insertion, the sanity check, noise against depth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from explorer.language import told, tr
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
class Noise:
    """One network's gradients over many images; mean, low and high end of the 95 % interval each."""

    family: str
    label: str
    depth: int
    smoothness: tuple[float, float, float]
    steadiness: tuple[float, float, float]


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
    figure.update_xaxes(tickformat=".0%", title_text=tr("share of the pixels"), tickvals=[0, 0.5])
    figure.update_xaxes(tickvals=[0, 0.5, 1], col=2)
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


def noise_by_depth(shown: Sequence[Noise]) -> go.Figure:
    """Two panels, a line a family: how alike gradients of pixels beside each other are, and those after noise."""
    titles = [tr("pixels beside each other"), tr("before and after invisible noise")]
    figure = theme.panels(titles, tr("similarity of gradients"), percent=False, hovermode="closest")
    for family in dict.fromkeys(one.family for one in shown):
        points = sorted((one for one in shown if one.family == family), key=lambda one: one.depth)
        for column, values in enumerate(([one.smoothness for one in points], [one.steadiness for one in points]), 1):
            means, lows, highs = zip(*values, strict=True)
            figure.add_trace(
                go.Scatter(
                    x=[one.depth for one in points], y=means, name=told(theme.FAMILIES.get(family, family)),
                    mode="lines+markers", legendgroup=family, showlegend=column == 1,
                    line={"color": theme.colour(family), "width": 2.5}, marker={"size": 8},
                    error_y={
                        "array": [high - mean for high, mean in zip(highs, means, strict=True)],
                        "arrayminus": [mean - low for low, mean in zip(lows, means, strict=True)],
                        "thickness": 1.5, "width": 5,
                    },
                    text=[one.label for one in points],
                    customdata=list(zip(lows, highs, strict=True)),
                    hovertemplate="%{text}: %{y:.3f} (%{customdata[0]:.3f} – %{customdata[1]:.3f})<extra></extra>",
                ),
                row=1, col=column,
            )  # fmt: skip
    depths = sorted({one.depth for one in shown})
    figure.update_xaxes(title_text=tr("depth (weighted layers)"), tickvals=depths)
    figure.update_yaxes(rangemode="tozero")
    return figure


def noise_text(shown: Sequence[Noise]) -> str:
    """What `noise_by_depth` shows, in words."""
    said = [f"{one.label}: {one.smoothness[0]:.2f}, {one.steadiness[0]:.2f}" for one in shown]
    return tr(
        "Similarity of the score's gradient at pixels beside each other, and before and after noise: {figures}.",
        figures="; ".join(said),
    )
