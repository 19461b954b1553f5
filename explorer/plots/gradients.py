"""One number a layer on a logarithmic axis, plain beside residual: gradients and signals that vanish or explode."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.language import tr
from explorer.plots import theme

_LEAST = 1e-30  # a logarithmic axis has no zero, and no infinity


@dataclass(frozen=True)
class LayerLine:
    """One network's number for each layer, in layer order."""

    family: str
    depth: int
    label: str
    layers: Sequence[str]
    values: Sequence[float]
    variant: int = 0
    """0: drawn as its depth is; 1, 2, …: dashed in a way of its own (BN off, say)."""


def layer_lines(shown: Sequence[LayerLine], title: str) -> go.Figure:
    """Plain left, residual right, one logarithmic y axis called `title`."""
    figure = theme.panels(theme.family_titles(), title, percent=False, hovermode="closest")
    depths = sorted({line.depth for line in shown})
    for line in shown:
        column = 1 if line.family == "plain" else 2
        figure.add_trace(
            go.Scatter(
                x=list(range(1, len(line.values) + 1)),
                y=[max(value, _LEAST) if math.isfinite(value) else None for value in line.values],
                name=line.label,
                mode="lines",
                line=theme.line(line.family, depths.index(line.depth), "test", len(depths), line.variant),
                customdata=list(line.layers),
                hovertemplate="%{customdata}: %{y:.3g}<extra>" + line.label + "</extra>",
            ),
            row=1,
            col=column,
        )
    longest = max((len(line.values) for line in shown), default=1)
    figure.update_xaxes(**theme.axis(tr("layer")), range=[0.5, longest + 0.5])
    figure.update_yaxes(type="log", exponentformat="power", dtick=_tick(shown))
    return figure


def alternative_text(shown: Sequence[LayerLine], title: str) -> str:
    """What `layer_lines` shows, in words."""
    values = [
        tr(
            "{network}: {first:.2g} in the first layer, {last:.2g} in the last",
            network=line.label,
            first=line.values[0],
            last=line.values[-1],
        )  # fmt: skip
        for line in shown
        if line.values
    ]
    return tr("{title}, layer by layer, logarithmic. {values}.", title=title, values="; ".join(values))


def _tick(shown: Sequence[LayerLine]) -> float | str:
    """Every decade, or, where there are many, fewer."""
    logs = [math.log10(max(value, _LEAST)) for line in shown for value in line.values if math.isfinite(value)]
    decades = max(logs) - min(logs) if logs else 0
    return max(1, round(decades / 6)) if decades > 2 else "D1"
