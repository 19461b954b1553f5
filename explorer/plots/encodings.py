"""Retrieval by bags of words, VLAD and Fisher vectors, against the words or the length of the vector."""

from collections.abc import Sequence
from statistics import mean

import plotly.graph_objects as go

from explorer.language import later, told, tr
from explorer.measurement.encodings import METHODS, estimate
from explorer.plots import theme
from explorer.records import EncodingsRecord

NAMES = {"bag": later("bag of words"), "vlad": later("VLAD"), "fisher": later("Fisher vector")}
_LOOKS = {
    "bag": (theme.PLAIN, "solid"),
    "vlad": (theme.RESIDUAL, "solid"),
    "fisher": (theme.colour("preresnet"), "dash"),
}


def precisions(records: Sequence[EncodingsRecord], words: int, by_length: bool, chance: float) -> go.Figure:
    """Mean average precision with its interval over draws; larger points at `words`; grey: a list in no order."""
    x = tr("numbers in an image's vector") if by_length else tr("words in the dictionary")
    figure = go.Figure(layout=theme.layout(x, tr("mean average precision"), hovermode="closest"))
    counts = sorted({record.words for record in records})
    for method in METHODS:
        colour, dash = _LOOKS[method]
        found = {count: estimate(records, (method, count)) for count in counts}
        shown = {count: one for count, one in found.items() if one}
        lengths = {count: length(records, method, count) for count in shown}
        name = told(NAMES[method])
        whiskers = [one.half if one.half < 1 else 0 for one in shown.values()]  # one draw has no interval
        figure.add_scatter(
            x=[lengths[count] if by_length else count for count in shown],
            y=[one.mean for one in shown.values()],
            error_y={"array": whiskers, "thickness": 1.5, "width": 4},
            name=name, mode="lines+markers", line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": [13 if count == words else 6 for count in shown]},
            customdata=[[count, lengths[count], one.half] for count, one in shown.items()],
            hovertemplate=tr("%{customdata[0]} words, %{customdata[1]:,} numbers: %{y:.2%} ± %{customdata[2]:.2%}")
            + f"<extra>{name}</extra>",
        )  # fmt: skip
    figure.add_hline(
        y=chance, line={"color": theme.PAPER, "width": 1.5, "dash": "dot"},
        annotation={"text": tr("in no order"), "font": {"color": theme.PAPER}}, annotation_position="bottom right",
    )  # fmt: skip
    ticks = [4**power for power in range(1, 8)] if by_length else counts
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    figure.update_yaxes(rangemode="normal", tickformat=".1%")
    return figure


def length(records: Sequence[EncodingsRecord], method: str, words: int) -> int:
    """Numbers in one image's vector."""
    return next(
        score.length for record in records if record.words == words for score in record.scores if score.method == method
    )


def alternative_text(records: Sequence[EncodingsRecord]) -> str:
    """What `precisions` shows, in words."""
    said = []
    for method in METHODS:
        values: dict[int, list[float]] = {}
        for record in records:
            values.setdefault(record.words, []).extend(s.average_precision for s in record.scores if s.method == method)
        points = ", ".join(
            tr("{value:.1%} with {words}", value=mean(found), words=words) for words, found in sorted(values.items())
        )
        said.append(f"{told(NAMES[method])}: {points}")
    return tr("Mean average precision by the number of words.") + " " + "; ".join(said) + "."
