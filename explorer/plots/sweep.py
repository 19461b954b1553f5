"""Errors at the end against one factor, of several networks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import plotly.graph_objects as go

from explorer.config import NetworkConfig
from explorer.language import later, told, tr
from explorer.measurement.sweep import Point
from explorer.plots import theme
from explorer.plots.curves import NetworkLine, network_lines

_PANELS = {"test": later("Test error"), "training": later("Training error")}


def errors_by_factor(
    found: Mapping[NetworkConfig, Sequence[Point]], label: str, scale: str, values: Sequence[Any] = (), field: str = ""
) -> go.Figure:
    """Test error left (bold), training error right (thin), a line a network: means, with a band from the best seed to
    the worst. `scale` of the x axis, called `label`: log · linear · category; it has `values` before they have results.

    `field` is what the factor changes.
    """
    figure = theme.panels([told(title) for title in _PANELS.values()], tr("error at the end"))
    lines = network_lines({(network, False) for network in found})
    for column, split in enumerate(_PANELS, 1):
        expected = [written(value) if scale == "category" else value for value in values]
        empty = go.Scatter(x=expected, y=[None] * len(expected), showlegend=False, hoverinfo="skip")
        if expected:
            figure.add_trace(empty, row=1, col=column)
        for network in sorted(found, key=lambda network: lines[network, False].name):
            line = lines[network, False]
            for trace in _traces(found[network], replace(line, name=called(line.name, field)), split, scale):
                figure.add_trace(trace, row=1, col=column)
    ticks = sorted({*values, *(point.value for points in found.values() for point in points)}, key=str)
    shown: dict[str, Any] = {"type": "category"}
    if scale != "category":
        numbers = {"tickvals": ticks, "ticktext": [f"{value:,g}" for value in ticks]}
        shown = {"type": scale, **numbers, "minor": {"ticks": ""}, "hoverformat": ",~g"}
    figure.update_xaxes(**theme.axis(label), **shown)
    figure.update_yaxes(range=[0, 0.95], matches="y")
    return figure


def called(name: str, field: str) -> str:
    """A network's name as people read it where `field` is changed: without the depth that it only has by default."""
    network, colon, options = name.partition(":")
    if field == "depth":
        network = network.partition("-")[0]
    return tr("{network} without BN", network=network) if options == "bn=off" else f"{network}{colon}{options}"


def alternative_text(found: Mapping[NetworkConfig, Sequence[Point]], label: str, field: str = "") -> str:
    """What `errors_by_factor` shows, in words."""
    said = [
        tr(
            "{network} at {value}: test {test:.1%}, training {training:.1%}",
            network=called(network.name, field), value=written(point.value), test=mean(point.test),
            training=mean(point.training),
        )
        for network, points in found.items() for point in points
    ]  # fmt: skip
    return tr("Errors at the end of training against {factor}. {figures}.", factor=label, figures="; ".join(said))


def written(value: Any) -> str:
    """A value of a factor as people read it."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    return value if isinstance(value, str) else f"{value:,g}"


def _traces(points: Sequence[Point], drawn: NetworkLine, split: str, scale: str) -> list[go.Scatter]:
    x = [written(point.value) if scale == "category" else point.value for point in points]
    errors = [getattr(point, split) for point in points]
    line = theme.line(drawn.family, drawn.rank, "train" if split == "training" else "test", drawn.depths, drawn.variant)
    middle = go.Scatter(
        x=x,
        y=[mean(of_seeds) for of_seeds in errors],
        name=drawn.name,
        legendgroup=drawn.name,
        showlegend=split == "test",
        mode="lines+markers",
        line=line,
        marker={"size": 6, "color": line["color"]},
        hovertemplate="%{y:.1%}",
    )
    if max(map(len, errors)) == 1:
        return [middle]
    band = go.Scatter(
        x=x + x[::-1],
        y=[max(of_seeds) for of_seeds in errors] + [min(of_seeds) for of_seeds in errors][::-1],
        mode="lines",
        fill="toself",
        fillcolor=theme.band(drawn.family, drawn.rank, drawn.depths),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=drawn.name,
    )
    return [band, middle]
