"""Retrieval by bags of words, VLAD and Fisher vectors, against the words or the length of the vector."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.language import later, told, tr
from explorer.measurement.encodings import MEASURES, METHODS, estimate
from explorer.plots import theme
from explorer.records import EncodingsRecord

NAMES = {"bag": later("bag of words"), "vlad": later("VLAD"), "fisher": later("Fisher vector")}
_TITLES = {
    "precision": later("Right ones among the nearest ten"),
    "average_precision": later("Mean average precision of the whole list"),
}
_LOOKS = {
    "bag": (theme.PLAIN, "solid"),
    "vlad": (theme.RESIDUAL, "solid"),
    "fisher": (theme.colour("preresnet"), "dash"),
}


def precisions(records: Sequence[EncodingsRecord], words: int, by_length: bool, chance: float) -> go.Figure:
    """A panel a measure, with intervals over draws; larger points at `words`; grey: lists in no order."""
    figure = theme.panels([told(_TITLES[measure]) for measure in MEASURES], "", hovermode="closest")
    counts = sorted({record.words for record in records})
    for column, measure in enumerate(MEASURES, 1):
        for method in METHODS:
            trace = _line(records, measure, method, counts, by_length)
            trace.update(showlegend=column == 1, marker=_markers(counts, words))
            figure.add_trace(trace, row=1, col=column)
        figure.add_hline(y=chance, line={"color": theme.PAPER, "width": 1.5, "dash": "dot"}, row=1, col=column)
    ticks = [4**power for power in range(1, 8)] if by_length else counts
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    figure.update_xaxes(title_text=tr("numbers in an image's vector") if by_length else tr("words in the dictionary"))
    return figure


def _markers(counts: Sequence[int], words: int) -> dict[str, Any]:
    return {"size": [12 if count == words else 6 for count in counts], "opacity": 1, "line": {"width": 0}}


def length(records: Sequence[EncodingsRecord], method: str, words: int) -> int:
    """Numbers in one image's vector."""
    return next(
        score.length for record in records if record.words == words for score in record.scores if score.method == method
    )


def alternative_text(records: Sequence[EncodingsRecord]) -> str:
    """What `precisions` shows, in words."""
    return " ".join(f"{told(_TITLES[measure])}: {_values(records, measure)}." for measure in MEASURES)


def _line(
    records: Sequence[EncodingsRecord], measure: str, method: str, counts: list[int], by_length: bool
) -> go.Scatter:
    found = [(count, estimate(records, measure, (method, count))) for count in counts]
    shown = [(count, length(records, method, count), one) for count, one in found if one]
    colour, dash = _LOOKS[method]
    name = told(NAMES[method])
    return go.Scatter(
        x=[numbers if by_length else count for count, numbers, _ in shown],
        y=[one.mean for _, _, one in shown],
        error_y={"array": [one.half if one.half < 1 else 0 for _, _, one in shown], "thickness": 1.5, "width": 4},
        name=name, legendgroup=method, mode="lines+markers", line={"color": colour, "width": 2.5, "dash": dash},
        customdata=[[count, numbers, one.half] for count, numbers, one in shown],
        hovertemplate=tr("%{customdata[0]} words, %{customdata[1]:,} numbers: %{y:.1%} ± %{customdata[2]:.1%}")
        + f"<extra>{name}</extra>",
    )  # fmt: skip


def _values(records: Sequence[EncodingsRecord], measure: str) -> str:
    said = []
    for method in METHODS:
        counts = sorted({record.words for record in records})
        found = [(count, estimate(records, measure, (method, count))) for count in counts]
        points = ", ".join(tr("{value:.1%} with {words}", value=one.mean, words=count) for count, one in found if one)
        said.append(f"{told(NAMES[method])} {points}")
    return "; ".join(said)
