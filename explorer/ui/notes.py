"""What a reader keeps in one visit: figures by the button at each, guesses, remarks; and the page to take along."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st

from explorer import notes
from explorer.language import language, told, tr
from explorer.notes import Guess, Note
from explorer.ui import frame, sitemap

_KEY, _TOAST, _REMOVED, _MOST = "notes", "notes-toast", "notes-removed", 40
_REMARKS, _REMARKS_KEPT = "notes-remarks", "notes-remarks-kept"


def kept() -> list[Note]:
    """What was kept so far, oldest first."""
    found: list[Note] = st.session_state.setdefault(_KEY, [])
    return found


def keeper(shown: Callable[[], Mapping[str, Any]]) -> Callable[[], None]:
    """What keeps a figure together with what the page says of it now; `shown` gives its JSON and its words."""
    said = frame.take_said()
    if told_now := st.session_state.pop(_TOAST, ""):  # here: a callback of a fragment must not draw
        st.toast(told_now, icon=":material/bookmark_added:")

    def keep() -> None:
        if len(kept()) >= _MOST:
            st.session_state[_TOAST] = tr("{most} figures are kept: more do not fit into one page.", most=_MOST)
            return
        picture = shown()
        note = Note(_title(), _address(), said.sentences, said.basis, said.made, picture["figure"], picture["alt"])
        kept().append(note)
        st.session_state[_TOAST] = tr("Kept: see the page Notes.")

    return keep


def panel(guesses: list[Guess]) -> None:
    """What was kept, to be remarked on, removed and downloaded."""
    title = tr("Notes on Deep Residual Learning")
    remarks = st.text_area(
        tr("My remarks"),
        key=_REMARKS,
        value=st.session_state.get(_REMARKS_KEPT, ""),
        height=110,
        on_change=_keep_remarks,
    )
    for index, note in enumerate(kept()):
        _one(index, note)
    _removed()
    if guesses:
        st.header(tr("Guesses"), anchor=False)
        st.table([{tr("question"): g.asked, tr("my guess"): g.answered, tr("measured"): g.measured} for g in guesses])
    if not kept() and not guesses:
        st.info(
            tr(
                "Nothing is kept yet. Each figure has a bookmark beside its download buttons; guesses of the lesson "
                "come by themselves."
            ),
            icon=":material/bookmark:",
        )
        sitemap.link("lesson")
    left, right, _ = st.columns([2, 2, 3])
    text = notes.markdown(title, kept(), guesses, remarks)
    left.download_button(
        tr("Download as a page"), _page(title, guesses, remarks), "residual-notes.html", "text/html",
        icon=":material/download:", type="primary", width="stretch", key="notes-html",
        on_click="ignore",
    )  # fmt: skip
    right.download_button(
        tr("Download as Markdown"), text, "residual-notes.md", "text/markdown", icon=":material/download:",
        width="stretch", key="notes-markdown", on_click="ignore",
    )  # fmt: skip
    st.caption(tr("Kept on this server until this tab is closed or reloaded: download before."))


def _one(index: int, note: Note) -> None:
    with st.container(border=True):
        words, button = st.columns([6, 1], vertical_alignment="top")
        words.markdown(f"**{note.page}**  \n" + "  \n".join(note.said or (note.alt,)))
        if note.made:
            words.caption(note.made)
        if button.button(tr("Remove"), key=f"notes-remove-{index}-{len(kept())}", type="tertiary"):
            st.session_state[_REMOVED] = index, kept().pop(index)
            st.rerun()
        key = f"notes-remark-{index}-{len(kept())}"
        st.text_input(
            tr("My remark"), value=note.remark, key=key, max_chars=2000, on_change=_keep_remark, args=(index, key)
        )


# Callbacks: if the reader goes on to another page at once, this page does not run again with what was typed.
def _keep_remarks() -> None:
    st.session_state[_REMARKS_KEPT] = st.session_state[_REMARKS]


def _keep_remark(index: int, key: str) -> None:
    kept()[index] = replace(kept()[index], remark=st.session_state[key])


def _removed() -> None:
    """What was removed last, to be put back where it stood."""
    if _REMOVED not in st.session_state:
        return
    index, note = st.session_state[_REMOVED]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(tr("Removed: {what}", what=note.page))
        if st.button(tr("Undo"), icon=":material/undo:", key="notes-undo", type="tertiary"):
            kept().insert(index, note)
            del st.session_state[_REMOVED]
            st.rerun()


def _page(title: str, guesses: Sequence[Guess], remarks: str) -> bytes:
    """Made before it is asked for: a click on a file that is made later is lost if the page runs again meanwhile."""
    from plotly.offline import get_plotlyjs

    return notes.page(title, kept(), guesses, remarks, language(), get_plotlyjs()).encode()


def _title() -> str:
    entry = next((row for row in sitemap.PAGES if row.name == _name()), sitemap.HOME)
    return told(entry.title)


def _name() -> str:
    return urlsplit(st.context.url or "").path.rstrip("/").rpartition("/")[2]


def _address() -> str:
    base = (st.context.url or "").partition("?")[0]
    query = urlencode(st.query_params.to_dict(), doseq=True)
    return f"{base}?{query}" if query else base
