"""Layer responses, Figure 7 of the paper: in layer order above, sorted by size below."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.config import NetworkConfig
from explorer.language import tr
from explorer.plots import theme
from explorer.records import ChannelSpread, LayerResponse


@dataclass(frozen=True)
class Responses:
    """The responses of one network at one moment."""

    network: NetworkConfig
    label: str
    values: Sequence[LayerResponse]
    spreads: Sequence[ChannelSpread] = ()
    """Of its channels, if that is wanted."""


def response_curves(shown: Sequence[Responses], control: bool, predicted: bool = False) -> go.Figure:
    """One line a network in two panels, layer order left and sorted right.

    `control` adds the untrained network's line, 1 in every layer; `predicted` what gamma and beta alone say. A band
    holds eight of ten channels, where `spreads` are given.
    """
    figure = theme.panels(
        [tr("In layer order"), tr("Sorted by size")],
        tr("standard deviation of the response"),
        percent=False,
        hovermode="closest",
    )
    depths = sorted({responses.network.depth for responses in shown})
    for responses in shown:
        line = theme.line(responses.network.family, depths.index(responses.network.depth), "test", len(depths))
        stds = [value.std for value in responses.values]
        names = [value.layer for value in responses.values]
        _band(
            figure, responses, theme.band(responses.network.family, depths.index(responses.network.depth), len(depths))
        )
        order = sorted(range(len(stds)), key=lambda index: -stds[index])
        _add(figure, 1, responses.label, line, stds, names)
        _add(figure, 2, responses.label, line, [stds[i] for i in order], [names[i] for i in order])
        if predicted:
            thin = {**line, "width": 1, "dash": "dot"}
            label = tr("{name} from γ and β", name=responses.label)
            _add(figure, 1, label, thin, [value.predicted for value in responses.values], names)
    longest = max((len(responses.values) for responses in shown), default=1)
    if control:
        for column in (1, 2):
            figure.add_trace(
                go.Scatter(
                    x=[1, longest], y=[1, 1], name=tr("untrained (all 1)"), mode="lines", hoverinfo="skip",
                    line={"color": theme.PAPER, "width": 1.5, "dash": "dash"},
                    legendgroup="untrained", showlegend=column == 1,
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_xaxes(**theme.axis(tr("layer")), range=[0.5, longest + 0.5], col=1)
    figure.update_xaxes(**theme.axis(tr("rank")), range=[0.5, longest + 0.5], col=2)
    figure.update_yaxes(rangemode="tozero")
    return figure


def alternative_text(shown: Sequence[Responses]) -> str:
    """What `response_curves` shows, in words."""
    said = [
        tr(
            "{name}: from {low:.2f} to {high:.2f} over {layers} layers",
            name=responses.label, low=min(value.std for value in responses.values),
            high=max(value.std for value in responses.values), layers=len(responses.values),
        )
        for responses in shown
        if responses.values
    ]  # fmt: skip
    return tr("Standard deviation of each layer's response.") + " " + "; ".join(said)


def _band(figure: go.Figure, responses: Responses, fill: str) -> None:
    layers = list(range(1, len(responses.spreads) + 1))
    for edge, filled in (("low", {}), ("high", {"fill": "tonexty", "fillcolor": fill})):
        figure.add_trace(
            go.Scatter(
                x=layers, y=[getattr(spread, edge) for spread in responses.spreads], mode="lines", line={"width": 0},
                name=tr("{name}, channels", name=responses.label), legendgroup=responses.label,
                showlegend=False, hoverinfo="skip", **filled,
            ),
            row=1, col=1,
        )  # fmt: skip


def _add(
    figure: go.Figure,
    column: int,
    label: str,
    line: dict[str, object],
    values: Sequence[float | None],
    names: list[str],
) -> None:
    figure.add_trace(
        go.Scatter(
            x=list(range(1, len(values) + 1)),
            y=values,
            name=label,
            legendgroup=label,
            showlegend=column == 1,
            mode="lines",
            line=line,
            customdata=names,
            hovertemplate="%{customdata}: %{y:.3f}<extra>" + label + "</extra>",
        ),
        row=1,
        col=column,
    )
