"""How the votes of a room fell: a bar an answer."""

from collections.abc import Mapping

import plotly.graph_objects as go

from explorer.language import tr
from explorer.plots import theme

_COLOUR = "#11877b"  # of no family: votes are no measurement


def vote_bars(counts: Mapping[str, int]) -> go.Figure:
    """Votes by answer as it reads, the first at the top; no names, no shares, since few votes are no per cent."""
    answers, votes = list(counts), list(counts.values())
    figure = go.Figure(layout=theme.layout(percent=False, hovermode=False, showlegend=False))
    figure.add_bar(
        x=votes, y=answers, orientation="h", text=[str(count) for count in votes], textposition="outside",
        cliponaxis=False, marker={"color": _COLOUR}, width=0.62, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1.15 * max([4, *votes])], visible=False)  # the numbers stand beside the bars
    figure.update_yaxes(autorange="reversed", type="category", ticks="", automargin=True)
    return figure


def alternative_text(counts: Mapping[str, int]) -> str:
    """What `vote_bars` shows, in words."""
    said = "; ".join(f"{answer}: {count}" for answer, count in counts.items())
    return tr("Votes by answer. {figures}.", figures=said)
