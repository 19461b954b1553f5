"""What the address keeps: names of choices, whatever they are called on the screen, so that a link opens the same view.

Streamlit's own `bind` writes an option's label, which another language has not.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import streamlit as st

from explorer.language import language

_ON_ITS_WAY = 1.0  # seconds that a value takes to a browser, at most in most cases: the page's run, the net, drawing it


def recall(key: str, default: Any, known: Collection[Any] | None = None) -> None:
    """Before the widget called `key`: give it what the address says, else what it had before the visitor left the page.

    What is not `known`, or is none any more, is passed over.
    """
    if key in st.session_state:
        found = st.session_state[key]
    elif asked := st.query_params.get_all(key):
        found = asked if isinstance(default, list) else _read(asked[0], default)
    else:
        found = st.session_state.get(_left(key), default)
    if known is not None:
        if isinstance(default, list):
            found = [name for name in found if name in known] or (default if found else [])
        elif found not in known:
            found = default
    # Also a value that stays is said again: a browser that missed the run in which it was first said, as a rerun came
    # in between, would show the widget's first option. What the visitor has just chosen the browser knows, unless it
    # may have been on its way hither while the one before was on its way there.
    if key not in st.session_state:
        st.session_state[_left(key)] = found
    crossed = monotonic() - st.session_state.get(_said(key), -_ON_ITS_WAY) < _ON_ITS_WAY
    if found == st.session_state.get(_left(key)) or found != st.session_state[key] or crossed:
        st.session_state[key] = found
        st.session_state[_said(key)] = monotonic()


def remember(key: str, default: Any) -> None:
    """After the widget called `key`: write its value into the address, unless it is the usual one."""
    value = st.session_state[key]
    st.session_state[_left(key)] = value  # a widget's own is forgotten on a page that does not draw it
    if value == default or value is None:
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != (value if isinstance(value, list) else [str(value)]):
        st.query_params[key] = value


@contextmanager
def kept(key: str, default: Any, known: Collection[Any] | None = None) -> Iterator[None]:
    """Around the widget called `key`, which is given no value of its own: the address has it, if not the usual one."""
    recall(key, default, known)
    yield
    remember(key, default)


def tabs(titles: Mapping[str, str]) -> dict[str, Any]:
    """Tabs by their names, with these titles; only what is on the open one is to be drawn. One set of them a page."""
    by_title = {title: name for name, title in titles.items()}
    usual = next(iter(titles))
    key = f"view-{language()}"  # Streamlit knows the open one by its title
    asked = st.query_params.get("view", usual)
    if (
        st.session_state.get(key) not in by_title
    ):  # not as a default: Streamlit takes tabs with another one for new tabs
        st.session_state[key] = titles.get(asked, titles[usual])
    made = st.tabs(list(by_title), key=key, on_change="rerun")
    chosen = by_title[st.session_state[key]]
    if chosen == usual:
        st.query_params.pop("view", None)
    elif asked != chosen:
        st.query_params["view"] = chosen
    return dict(zip(titles, made, strict=True))


def _read(text: str, default: Any) -> Any:
    """What was written of a value like the default; the default where it is none."""
    if isinstance(default, bool):
        return {"True": True, "False": False}.get(text, default)
    try:
        return type(default)(text) if isinstance(default, int | float) else text
    except ValueError:
        return default


def _left(key: str) -> str:
    return f"{key}-when-left"


def _said(key: str) -> str:
    """When the browser was last told a value, on the clock of `monotonic`."""
    return f"{key}-said"
