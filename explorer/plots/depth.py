"""Depth against the errors at the end: Table 6 and Figure 6 of the paper in one, beside what was measured."""

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer import paper
from explorer.language import later, told, tr
from explorer.measurement.depth import FAMILIES, FinalErrors, Spread
from explorer.plots import theme

_PRINTED = {"training": later("the paper, training"), "test": later("the paper, test")}
_MEASURED = {
    ("plain", "training"): later("plain, training"),
    ("plain", "test"): later("plain, test"),
    ("resnet", "training"): later("residual, training"),
    ("resnet", "test"): later("residual, test"),
}


def depth_chart(shown: Sequence[FinalErrors]) -> go.Figure:
    """Plain left, residual right, one y axis; training thin, test bold, the paper's values as grey marks."""
    figure = theme.panels(theme.family_titles(), tr("error at the end"))
    for column, family in enumerate(FAMILIES, 1):
        measured = [errors for errors in shown if errors.network.family == family]
        depths = sorted({*paper.depths(family), *(errors.network.depth for errors in measured)})
        for split in ("training", "test"):
            figure.add_trace(_paper(family, split, column == 1), row=1, col=column)
            figure.add_trace(_measured(family, measured, split), row=1, col=column)
        ticks = list(map(str, depths))
        figure.update_xaxes(
            **theme.axis(tr("layers")), type="category", categoryorder="array", categoryarray=ticks,
            range=[-0.5, len(ticks) - 0.5], col=column,
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    return figure


def alternative_text(shown: Sequence[FinalErrors]) -> str:
    """What `depth_chart` shows, in words."""
    said = [
        tr(
            "{name}: training {training:.1%}, test {test:.1%}",
            name=f"{errors.network.family}-{errors.network.depth}",
            training=errors.training.mean,
            test=errors.test.mean,
        )
        for errors in shown
    ]
    return tr(
        "Errors at the end of training against depth, beside the paper's. Measured: {figures}.", figures="; ".join(said)
    )


def _paper(family: str, split: str, legend: bool) -> go.Scatter:
    printed = {depth: paper.printed_errors(family, depth) for depth in paper.depths(family)}
    return go.Scatter(
        x=list(map(str, printed)),
        y=[getattr(errors, split) for errors in printed.values()],
        name=told(_PRINTED[split]),
        mode="markers",
        cliponaxis=False,
        legendrank=2000,
        marker={
            "symbol": "diamond" if split == "test" else "diamond-open", "size": 9, "color": theme.PAPER,
        },
        legendgroup=f"paper {split}",
        showlegend=legend,
        hovertemplate="%{y:.1%}",
    )  # fmt: skip


def _measured(family: str, measured: Sequence[FinalErrors], split: str) -> go.Scatter:
    spreads: list[Spread] = [getattr(errors, split) for errors in measured]
    line = theme.line(family, 1, "train" if split == "training" else "test")
    return go.Scatter(
        x=[str(errors.network.depth) for errors in measured],
        y=[spread.mean for spread in spreads],
        error_y={"array": [spread.std for spread in spreads], "thickness": 1, "width": 4},
        name=told(_MEASURED[family, split]),
        mode="lines+markers",
        cliponaxis=False,
        line={**line, "dash": "solid"},
        marker={"size": 8, "symbol": "circle" if split == "test" else "circle-open", "color": line["color"]},
        hovertemplate="%{y:.1%}",
    )
