"""Which paths the gradient takes, by the blocks they go through: Figure 6 of Veit, Wilber, Belongie (2016)."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.language import tr
from explorer.plots import theme
from explorer.records import PathLength


@dataclass(frozen=True)
class Paths:
    """One residual network's paths, shortest first."""

    family: str
    label: str
    blocks: int
    lengths: Sequence[PathLength]


def path_shares(shown: Sequence[Paths]) -> go.Figure:
    """A panel a network: bars are each length's part of the gradient, the grey line its part of all paths."""
    figure = theme.panels([one.label for one in shown], tr("share"), hovermode="x unified")
    for column, one in enumerate(shown, 1):
        lengths = [path.length for path in one.lengths]
        figure.add_trace(
            go.Bar(
                x=lengths, y=[path.share for path in one.lengths], name=tr("of the gradient"),
                marker={"color": theme.colour(one.family)}, legendgroup="gradient", showlegend=column == 1,
                hovertemplate=tr("%{y:.1%} of the gradient") + "<extra></extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=lengths, y=[path.paths for path in one.lengths], name=tr("of all paths"), mode="lines+markers",
                line={"color": theme.PAPER, "width": 2, "dash": "dash"}, marker={"size": 5},
                legendgroup="paths", showlegend=column == 1,
                hovertemplate=tr("%{y:.1%} of all paths") + "<extra></extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        figure.update_xaxes(range=[-0.6, one.blocks + 0.6], col=column)
    figure.update_xaxes(title_text=tr("blocks that a path goes through"))
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(bargap=0.15)
    return figure


def middle(paths: Sequence[PathLength], part: str) -> int:
    """The length up to which half of the gradient (`share`), or half of all paths (`paths`), is found."""
    whole, found = sum(getattr(path, part) for path in paths), 0.0
    for path in paths:
        found += getattr(path, part)
        if found >= whole / 2:
            return path.length
    return 0


def alternative_text(shown: Sequence[Paths]) -> str:
    """What `path_shares` shows, in words."""
    values = [
        tr(
            "{network}, {blocks} blocks: half of the gradient comes along paths of at most {share} blocks, half of all "
            "paths have at most {paths}",
            network=one.label,
            blocks=one.blocks,
            share=middle(one.lengths, "share"),
            paths=middle(one.lengths, "paths"),
        )  # fmt: skip
        for one in shown
    ]
    return tr("Gradient by the length of its paths. {values}.", values="; ".join(values))
