"""A Plotly chart that is updated in place: mounted once, it keeps zoom and legend while its figure changes.

`st.plotly_chart` builds the chart anew whenever its figure changes, with or without a key.
"""

from pathlib import Path

import streamlit as st

from explorer.plots import theme
from explorer.ui import server

_HERE = Path(__file__)
_component = st.components.v2.component(
    "residual_live_plot",
    css=_HERE.with_suffix(".css").read_text(),
    js=_HERE.with_suffix(".js").read_text(),
    isolate_styles=False,  # plotly.js puts its styles into the document, unseen by a shadow root
)


def live_plot(figure: theme.Figure, *, key: str, height: int, alt: str, narrow: theme.Narrow | None = None) -> None:
    """Draw `figure`, `height` pixels high, as the chart called `key`; `alt` says in words what it shows.

    `narrow` is how the figure is arranged on a phone (`theme.stacked`).

    Zoom and legend survive while `layout.uirevision` stays the same, as it does if the figure leaves it out.
    """
    data = {
        "figure": theme.to_json(figure),
        "key": key,
        "height": height,
        "alt": alt,
        "narrow": narrow,
        "plotly": server.plotly_url(),
    }
    _component(key=key, data=data, height="content")
