"""Shortcuts on every page, and the overview of them that the key ? and the entry in the sidebar open."""

from pathlib import Path
from typing import Any

import streamlit as st

from explorer.language import told, tr
from explorer.ui import component, sitemap

_HERE = Path(__file__)
_component = st.components.v2.component(
    "residual_keyboard",
    css=_HERE.with_suffix(".css").read_text(),
    js=_HERE.with_suffix(".js").read_text(),
    html="<span></span>",
    isolate_styles=False,  # the overview lies over the whole page
)


def listen() -> None:
    """Let the browser follow the keys; draw the entry that opens their overview."""
    data = {
        "words": {"open": tr("Keyboard"), "title": tr("Keyboard shortcuts"), "close": tr("Close")},
        "pages": {row.key: row.name if row is not sitemap.HOME else "" for row in sitemap.PAGES},
        "groups": _groups(),
    }
    with st.sidebar:
        _component(key="keyboard", data=component.sent(data), height="content")


def _groups() -> list[dict[str, Any]]:
    """What the overview lists: a title, then keys and what they do."""
    everywhere = [
        (["?"], tr("This overview")),
        (["s"], tr("Start, or stop what runs")),
        (["p"], tr("Presenter mode")),
        (["Tab"], tr("To the next control")),
        (["Esc"], tr("Close what is open")),
    ]
    lesson = [(["←"], tr("Previous step")), (["→"], tr("Next step"))]
    presenting = [
        (["→", "Page Down", "Space"], tr("Next screen")),
        (["←", "Page Up"], tr("Previous screen")),
        (["b"], tr("Black screen")),
        (["c"], tr("Controls, shown or hidden")),
        (["Esc"], tr("Leave presenter mode")),
    ]
    pages = [(["g", row.key], told(row.title)) for row in sitemap.PAGES]
    return [
        {"title": tr("Everywhere"), "rows": everywhere},
        {"title": tr("In the lesson"), "rows": lesson},
        {"title": tr("In presenter mode"), "rows": presenting},
        {"title": tr("To a page: g, then a letter"), "rows": pages},
    ]
