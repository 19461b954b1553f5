"""What every page shares: its heading, its look, where a number comes from, and what an error looks like."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import streamlit as st

from explorer.data.source import told_description
from explorer.device import told_device
from explorer.errors import ExplorerError
from explorer.language import later, told, tr
from explorer.records import Provenance

STYLE = Path(__file__).with_name("frame.css").read_text()
_SAID = "said-since-the-last-figure"
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_MARKS = re.compile(r"(?<!`)`[^`\n]+`(?!`)|[\\`*\[\]<>~$|]|(?<!\w)_|_(?!\w)|:(?=[A-Za-z])|(?m:^)[#+-]")
_UNEXPECTED = later(
    "This part of the page failed, and that is our mistake. The server's log says why; reload to try again."
)
ORIGINS = {
    "live": later("live"),
    "recorded": later("recorded"),
    "imported": later("imported"),
    "paper": later("paper"),
}


def dress(title: str) -> None:
    """Give a page its title in the browser's tab, and its look."""
    st.set_page_config(page_title=f"{title} · Residual Explorer", layout="wide")
    st.html(f"<style>{STYLE}</style>")


def begin(title: str, question: str) -> None:
    """Draw the head of a page: its title small, its question large."""
    dress(title)
    head(title, question)


def head(title: str, question: str) -> None:
    """Draw a title small, what it is about large."""
    st.html(f'<p class="rx-eyebrow">{escape(title)}</p>')
    st.title(question, anchor=False)


@dataclass(frozen=True)
class Said:
    """What a page has said since its last figure: the next one is about it."""

    sentences: tuple[str, ...] = ()
    basis: str = ""
    made: str = ""
    """Provenance in words."""


def take_said() -> Said:
    """What was said since the last figure; from then on nothing is."""
    said: Said = st.session_state.pop(_SAID, Said())
    return said


def finding(sentences: Sequence[str], basis: str) -> None:
    """Draw what the page found, large, a line a sentence (**bold** allowed), and what that rests on, small."""
    st.session_state[_SAID] = Said(tuple(sentences), basis)
    st.html(finding_html(sentences, basis))


def finding_html(sentences: Sequence[str], basis: str) -> str:
    """What `finding` draws."""
    lines = "".join("<p>" + _BOLD.sub(r"<b>\1</b>", escape(together(sentence))) + "</p>" for sentence in sentences)
    return f'<div class="rx-finding">{lines}<p class="rx-basis">{escape(together(basis))}</p></div>'


def together(text: str) -> str:
    """The text with its values in one piece: no line ends before a % or around a ±."""
    return text.replace(" %", "\u00a0%").replace(" ± ", "\u00a0±\u00a0")


def provenance_badge(provenance: Provenance) -> None:
    """Draw a small pill that says where the numbers beside it come from."""
    said: Said = st.session_state.get(_SAID, Said())
    st.session_state[_SAID] = replace(said, made=_in_words(provenance))
    st.html(provenance_html(provenance))


def provenance_html(provenance: Provenance) -> str:
    """The pill as HTML: origin, device, day, time taken; data and versions in its tooltip."""
    origin = provenance.origin if provenance.origin in ORIGINS else "recorded"
    words = [told_device(provenance.device), provenance.date[:10], _duration(provenance.seconds)]
    details = [
        told_description(provenance.data),
        provenance.precision,
        *(f"{k} {v}" for k, v in provenance.versions.items()),
    ]
    pill = f'<span class="rx-pill rx-{origin}">{escape(told(ORIGINS[origin]))}</span>'
    rest = "".join(f"<span>{escape(word)}</span>" for word in words if word)
    title = escape(" · ".join(detail for detail in details if detail), quote=True)
    return f'<div class="rx-provenance" title="{title}">{pill}{rest}</div>'


def _in_words(provenance: Provenance) -> str:
    origin = told(ORIGINS.get(provenance.origin, ORIGINS["recorded"]))
    words = (origin, told_device(provenance.device), provenance.date[:10], told_description(provenance.data))
    return " · ".join(word for word in words if word)


def plain(text: str) -> str:
    """Words of a visitor's, or with some in them, as Markdown that shows them as they are; `code` stays code."""
    return _MARKS.sub(lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", text)


def show_error(error: Exception) -> None:
    """Draw an error in place: its own line if it is meant for people, else one that gives nothing away."""
    known = isinstance(error, ExplorerError)
    st.error(plain(str(error)) if known else told(_UNEXPECTED), icon=":material/error:")


@contextmanager
def errors_in_place() -> Iterator[None]:
    """Show an ExplorerError of the block as its line where the block stands; the page goes on after it."""
    try:
        yield
    except ExplorerError as error:
        show_error(error)


def _duration(seconds: float) -> str:
    if seconds < 0.5:
        return ""
    if seconds < 90:
        return tr("{number} s", number=round(seconds))
    if seconds < 5400:
        return tr("{number} min", number=round(seconds / 60))
    return tr("{number} h", number=round(seconds / 3600, 1))
