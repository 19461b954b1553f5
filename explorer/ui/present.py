"""Presenter mode: large type, nothing around the page, figures as high as the screen; keys that a clicker has.

It stands in the address as `present=1`, with `controls=0` for a page without its controls, and stays from page to page.
"""

from pathlib import Path

import streamlit as st

from explorer.language import tr

_KEY, _CONTROLS = "present", "controls"
_HERE = Path(__file__)
_STYLE = f"<style>{_HERE.with_suffix('.css').read_text()}</style>"
_component = st.components.v2.component(
    "residual_present", js=_HERE.with_suffix(".js").read_text(), html="<span></span>", isolate_styles=False
)


def presenting() -> bool:
    """Whether this visitor's page is shown to a room."""
    return bool(st.session_state.get(_KEY))


def switch() -> None:
    """Follow the address; in presenter mode take away what stands around the page, else offer the mode."""
    st.session_state.setdefault(_KEY, False)
    asked = st.query_params.get(_KEY)
    if asked is not None:
        st.session_state[_KEY] = asked == "1"
    if not presenting():
        with st.sidebar:
            st.button(
                tr("Present"), icon=":material/slideshow:", type="tertiary", key="present-begin", on_click=_begin,
                help=tr("Large type and nothing around it. Escape leaves it."),
            )  # fmt: skip
        return
    st.query_params[_KEY] = "1"
    st.session_state.setdefault(_CONTROLS, True)
    wanted = st.query_params.get(_CONTROLS)
    if wanted is not None:
        st.session_state[_CONTROLS] = wanted != "0"
    hidden = "" if st.session_state[_CONTROLS] else "<style>:root { --rx-controls: none; }</style>"
    st.html(_STYLE + hidden)
    _component(key="present-keys", on_leave_change=_leave, on_controls_change=_hide_or_show, height="content")


def _begin() -> None:
    st.session_state[_KEY] = True
    st.query_params[_KEY] = "1"


def _leave() -> None:
    st.session_state[_KEY] = False
    for name in (_KEY, _CONTROLS, "screen"):
        st.query_params.pop(name, None)


def _hide_or_show() -> None:
    shown = not st.session_state.get(_CONTROLS, True)
    st.session_state[_CONTROLS] = shown
    if shown:
        st.query_params.pop(_CONTROLS, None)
    else:
        st.query_params[_CONTROLS] = "0"
