"""Deep linear networks: how large the largest layer is, and what is missing of the target, against the depth."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.measurement.deep_linear import Fit
from explorer.plots import theme

_LEAST = 1e-8
"""Shares below are drawn as this one: whether 10^-20 or 10^-30 is missing is a matter of rounding."""


def layer_norms(fits: Sequence[Fit]) -> go.Figure:
    """The largest layer of the trained residual network, on the constructed solution where there is one."""
    figure = _figure("‖A‖ of the largest layer")
    depths = [fit.depth for fit in fits]
    if any(fit.constructed_norm is not None for fit in fits):
        figure.add_scatter(
            x=depths,
            y=[fit.constructed_norm for fit in fits],
            name="constructed, ‖R<sup>1/L</sup> − I‖",
            mode="lines",
            line={"color": theme.PAPER, "width": 7},
            opacity=0.5,
            hovertemplate="%{x} layers: %{y:.4f}<extra>constructed</extra>",
        )
    figure.add_scatter(
        x=depths, y=[fit.norm for fit in fits], name="trained residual", **_style("resnet"),
        hovertemplate="%{x} layers: %{y:.4f}<extra>trained residual</extra>",
    )  # fmt: skip
    return figure


def losses(fits: Sequence[Fit]) -> go.Figure:
    """What is missing of the target in the end, plain and residual; 1 is no better than putting out zero."""
    figure = _figure("part of the target missing")
    for family, name in (("plain", "plain"), ("resnet", "residual")):
        values = [fit.plain_loss if family == "plain" else fit.residual_loss for fit in fits]
        figure.add_scatter(
            x=[fit.depth for fit in fits],
            y=[max(value, _LEAST) if math.isfinite(value) else None for value in values],
            name=name,
            **_style(family),
            customdata=values,
            hovertemplate="%{x} layers: %{customdata:.2g} missing<extra>" + name + "</extra>",
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
    told = ", ".join(f"{fit.norm:.3g} with {fit.depth}" for fit in fits)
    return f"Largest spectral norm of a trained residual layer against the number of layers, both logarithmic: {told}."


def losses_text(fits: Sequence[Fit]) -> str:
    """What `losses` shows, in words."""
    told = "; ".join(
        f"{fit.depth} layers: plain {fit.plain_loss:.2g}, residual {fit.residual_loss:.2g}" for fit in fits
    )
    return f"Part of the target that is missing after training, logarithmic. {told}."


def _figure(y: str) -> go.Figure:
    """Both axes logarithmic, every depth that is measured named."""
    figure = go.Figure(layout=theme.layout("layers", y, percent=False, hovermode="closest", showlegend=True))
    ticks = [2**power for power in range(7)]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
    figure.update_yaxes(type="log", rangemode="normal", exponentformat="power", dtick=1)
    return figure


def _style(family: str) -> dict[str, Any]:
    return {"mode": "lines+markers", "line": theme.line(family, 1, "test"), "marker": {"size": 7}}
