"""Deep linear networks: how large the largest layer is, and what is missing of the target, against the depth."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.language import later, told, tr
from explorer.measurement.deep_linear import Fit
from explorer.plots import theme

_NAMES = {"plain": later("plain"), "resnet": later("residual")}
_LEAST = 1e-8
"""Shares below are drawn as this one: whether 10^-20 or 10^-30 is missing is a matter of rounding."""


def layer_norms(fits: Sequence[Fit]) -> go.Figure:
    """The largest layer of the trained residual network, on the constructed solution where there is one."""
    figure = _figure(tr("‖A‖ of the largest layer"))
    depths = [fit.depth for fit in fits]
    if any(fit.constructed_norm is not None for fit in fits):
        figure.add_scatter(
            x=depths,
            y=[fit.constructed_norm for fit in fits],
            name=tr("constructed, ‖R<sup>1/L</sup> − I‖"),
            mode="lines",
            line={"color": theme.PAPER, "width": 7},
            opacity=0.5,
            hovertemplate=tr("%{x} layers: %{y:.4f}") + f"<extra>{tr('constructed')}</extra>",
        )
    figure.add_scatter(
        x=depths, y=[fit.norm for fit in fits], name=tr("trained residual"), **_style("resnet"),
        hovertemplate=tr("%{x} layers: %{y:.4f}") + f"<extra>{tr('trained residual')}</extra>",
    )  # fmt: skip
    return figure


def losses(fits: Sequence[Fit]) -> go.Figure:
    """What is missing of the target in the end, plain and residual; 1 is no better than putting out zero."""
    figure = _figure(tr("part of the target missing"))
    for family, marked in _NAMES.items():
        name = told(marked)
        values = [fit.plain_loss if family == "plain" else fit.residual_loss for fit in fits]
        figure.add_scatter(
            x=[fit.depth for fit in fits],
            y=[max(value, _LEAST) if math.isfinite(value) else None for value in values],
            name=name,
            **_style(family),
            customdata=values,
            hovertemplate=tr("%{x} layers: %{customdata:.2g} missing") + "<extra>" + name + "</extra>",
        )
    ticks = range(round(math.log10(_LEAST)), 1, 2)
    words = [f"10<sup>{power}</sup>".replace("-", "−") for power in ticks]
    figure.update_yaxes(
        tickvals=[10.0**power for power in ticks],
        ticktext=[f"≤ {words[0]}", *words[1:-1], "1"],
        range=[ticks[0] - 0.4, 0.6],
    )
    return figure


def norms_text(fits: Sequence[Fit]) -> str:
    """What `layer_norms` shows, in words."""
    values = ", ".join(tr("{norm:.3g} with {layers}", norm=fit.norm, layers=fit.depth) for fit in fits)
    return tr(
        "Largest spectral norm of a trained residual layer against the number of layers, both logarithmic: {values}.",
        values=values,
    )


def losses_text(fits: Sequence[Fit]) -> str:
    """What `losses` shows, in words."""
    values = "; ".join(
        tr(
            "{layers} layers: plain {plain:.2g}, residual {residual:.2g}",
            layers=fit.depth,
            plain=fit.plain_loss,
            residual=fit.residual_loss,
        )  # fmt: skip
        for fit in fits
    )
    return tr("Part of the target that is missing after training, logarithmic. {values}.", values=values)


def _figure(y: str) -> go.Figure:
    """Both axes logarithmic, every depth that is measured named."""
    figure = go.Figure(layout=theme.layout(tr("layers"), y, percent=False, hovermode="closest", showlegend=True))
    ticks = [2**power for power in range(7)]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
    figure.update_yaxes(type="log", rangemode="normal", exponentformat="power", dtick=1)
    return figure


def _style(family: str) -> dict[str, Any]:
    return {"mode": "lines+markers", "line": theme.line(family, 1, "test"), "marker": {"size": 7}}
