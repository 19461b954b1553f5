"""The size of F(x) beside that of x, block by block."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.config import NetworkConfig
from explorer.language import tr
from explorer.network_config import is_entry
from explorer.plots import theme
from explorer.records import BlockBranch


@dataclass(frozen=True)
class Branches:
    """One network's blocks at one moment."""

    network: NetworkConfig
    label: str
    blocks: Sequence[BlockBranch]

    @property
    def ratios(self) -> list[float]:
        """‖F(x)‖ / ‖x‖ of each block; in those that change the shape, x is what comes over the shortcut."""
        return [block.residual / block.shortcut for block in self.blocks]


def branch_ratios(shown: Sequence[Branches], control: Sequence[Branches]) -> go.Figure:
    """A line a network, from its first block to its last; `control` is the untrained one, thin."""
    figure = go.Figure(layout=theme.layout(tr("block"), "‖F(x)‖ / ‖x‖", percent=False, hovermode="closest"))
    depths = sorted({one.network.depth for one in (*shown, *control)})
    for one, untrained in [*((one, False) for one in shown), *((one, True) for one in control)]:
        line = theme.line(one.network.family, depths.index(one.network.depth), "test", len(depths))
        name = tr("{name} untrained", name=one.label) if untrained else one.label
        symbols = ["diamond" if is_entry(block.block) else "circle" for block in one.blocks]
        figure.add_scatter(
            x=list(range(1, len(one.blocks) + 1)), y=one.ratios, name=name,
            mode="lines" if untrained else "lines+markers",
            line={**line, "width": 1, "dash": "dot"} if untrained else line,
            marker={"size": 7, "symbol": symbols},
            customdata=[block.block for block in one.blocks],
            hovertemplate="%{customdata}: %{y:.2f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(margin_t=8, legend={"y": -0.22, "yanchor": "top"})
    return figure


def alternative_text(shown: Sequence[Branches]) -> str:
    """What `branch_ratios` shows, in words."""
    said = [
        tr("{name}: from {low:.2f} to {high:.2f}", name=one.label, low=min(one.ratios), high=max(one.ratios))
        for one in shown
        if one.blocks
    ]
    return tr("Size of F(x) over that of x in each block.") + " " + "; ".join(said) + "."
