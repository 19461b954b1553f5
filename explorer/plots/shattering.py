"""Gradients along a line of inputs, and how far they agree with their neighbours': Balduzzi et al. (2017), figure 1."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from explorer.language import later, told, tr
from explorer.plots import theme

if TYPE_CHECKING:  # torch comes with it, and the page is painted before
    from explorer.measurement.shattering import Shattering

_NOISE_DASHES = ("dot", "dash")
_NAMES = {"plain": later("plain"), "resnet": later("residual")}
_NOISES = {"white noise": later("white noise"), "brown noise": later("brown noise")}


def gradient_curves(shown: "Sequence[Shattering]", depth: int, height: int) -> go.Figure:
    """One network's gradient at this depth for each of two families, one above the other on one y axis."""
    figure = theme.panels([_name(one) for one in shown], "", percent=False, hovermode="closest")
    for column, one in enumerate(shown, 1):
        line = {"color": theme.colour(one.family), "width": 1.5}
        name, hover = told(_NAMES[one.family]), tr("input %{x:.2f}: %{y:.2f}")
        curve = _line(one.inputs, one.gradients[depth - 1], name, line, hover)
        figure.add_trace(curve.update(showlegend=False), row=1, col=column)
    _stack(figure, height, tr("gradient / its size"), gap=0.1)
    return figure.update_layout(xaxis_showticklabels=False, xaxis2_title_text=tr("input"))


def correlations(
    shown: "Sequence[Shattering]", noises: Mapping[str, Sequence[float]], depth: int, height: int
) -> go.Figure:
    """The autocorrelation at this depth beside that of noise; under it the neighbours' for every depth."""
    by_distance = (
        tr("Correlation at 1 layer, by distance")
        if depth == 1
        else tr("Correlation at {depth} layers, by distance", depth=depth)
    )
    figure = theme.panels(
        (by_distance, tr("Correlation of neighbours, by depth")), "", percent=False, hovermode="closest"
    )
    for (noise, values), dash in zip(noises.items(), _NOISE_DASHES, strict=True):
        line = {"color": theme.PAPER, "width": 2, "dash": dash}
        curve = _line(range(len(values)), values, told(_NOISES[noise]), line, tr("%{x} points apart: %{y:.2f}"))
        figure.add_trace(curve, row=1, col=1)
    for one in shown:
        name, line = told(_NAMES[one.family]), theme.line(one.family, 1, "test")
        lags, depths = one.correlations[depth - 1], range(1, len(one.correlations) + 1)
        figure.add_trace(_line(range(len(lags)), lags, name, line, tr("%{x} points apart: %{y:.2f}")), row=1, col=1)
        by_depth = _line(depths, one.neighbours, name, line, tr("%{x} layers: %{y:.2f}"))
        figure.add_trace(by_depth.update(showlegend=False), row=1, col=2)
    here = _line([depth, depth], [-0.25, 1.05], "", {"color": theme.PAPER, "width": 1}, "")
    figure.add_trace(here.update(showlegend=False, hoverinfo="skip"), row=1, col=2)
    _stack(figure, height, tr("correlation"), gap=0.24)
    figure.update_yaxes(range=[-0.25, 1.05])
    return figure.update_layout(xaxis_title_text=tr("points apart"), xaxis2_title_text=tr("layers"), legend_y=-0.2)


def gradients_text(shown: "Sequence[Shattering]", depth: int) -> str:
    """What `gradient_curves` shows, in words."""
    lines = [
        tr(
            "{networks}: {changes} changes of sign",
            networks=_name(one),
            changes=_sign_changes(one.gradients[depth - 1]),
        )
        for one in shown
    ]
    points, values = len(shown[0].inputs), "; ".join(lines)
    if depth == 1:
        return tr("Gradient along {points} inputs of a network of 1 layer. {values}.", points=points, values=values)
    return tr(
        "Gradient along {points} inputs of a network of {depth} layers. {values}.",
        points=points, depth=depth, values=values,
    )  # fmt: skip


def correlations_text(shown: "Sequence[Shattering]", depth: int) -> str:
    """What `correlations` shows, in words."""
    lines = [
        tr(
            "{networks}: {first:.2f} with 1 layer, {here:.2f} with {depth}, {last:.2f} with {deepest}",
            networks=_name(one),
            first=one.neighbours[0],
            here=one.neighbours[depth - 1],
            depth=depth,
            last=one.neighbours[-1],
            deepest=len(one.neighbours),
        )  # fmt: skip
        for one in shown
    ]
    return tr("Correlation of the gradients of neighbouring inputs. {values}.", values="; ".join(lines))


def _stack(figure: go.Figure, height: int, y: str, gap: float) -> None:
    """One panel above the other on every page: these figures have half of its width. `gap` is a share of the height."""
    top = (1 - gap) / 2
    figure.update_layout(theme.stacked(figure, height)["layout"])
    figure.update_layout(yaxis_domain=[1 - top, 1], yaxis2_domain=[0, top])
    figure.layout.annotations[1].y = top
    figure.update_yaxes(title_text=y)


def _line(x: Sequence[float], y: Sequence[float], name: str, line: dict[str, Any], hover: str) -> go.Scatter:
    hover += f"<extra>{name}</extra>"
    return go.Scatter(x=list(x), y=list(y), name=name, mode="lines", line=line, hovertemplate=hover)


def _sign_changes(values: Sequence[float]) -> int:
    return sum(before * after < 0 for before, after in pairwise(values))


def _name(one: "Shattering") -> str:
    return told(theme.FAMILIES[one.family])
