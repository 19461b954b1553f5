"""Which language a visitor reads: the address's, else the browser's, else English; with a switch in the sidebar."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.language import ENGLISH, LANGUAGES, follow

_KEY = "lang"


def switch() -> None:
    """Draw the switch; what is drawn after it is in the language chosen, which stands in the address.

    The address is written by hand, as `bind` would put the option's label there.
    """
    follow(_visitors)
    if st.session_state.get(_KEY) not in LANGUAGES:  # seen: none, in the first seconds of a visit
        st.session_state[_KEY] = _wanted()
    with st.sidebar:
        chosen = st.segmented_control(
            "Language · 언어",
            list(LANGUAGES),
            required=True,
            format_func=LANGUAGES.__getitem__,
            key=_KEY,
            label_visibility="collapsed",
        )
    if chosen != st.query_params.get(_KEY, _browsers()):
        st.query_params[_KEY] = str(chosen)


def _visitors() -> str:
    """Of the visitor whose script or fragment runs in this thread; English in any other."""
    return str(st.session_state.get(_KEY) or ENGLISH) if get_script_run_ctx(suppress_warning=True) else ENGLISH


def _wanted() -> str:
    asked = st.query_params.get(_KEY, "")
    return asked if asked in LANGUAGES else _browsers()


def _browsers() -> str:
    wanted = (st.context.locale or ENGLISH).partition("-")[0]
    return wanted if wanted in LANGUAGES else ENGLISH
