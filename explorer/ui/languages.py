"""Which language a visitor reads: the address's, else the browser's, else English; with a switch in the sidebar."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.language import ENGLISH, LANGUAGES, follow

KEY = "lang"


def switch() -> None:
    """Draw the switch; what is drawn after it is in the language chosen."""
    follow(_visitors)
    with st.sidebar:
        st.segmented_control(
            "Language · 언어",
            list(LANGUAGES),
            default=_browsers(),
            required=True,
            format_func=LANGUAGES.__getitem__,
            key=KEY,
            bind="query-params",
            label_visibility="collapsed",
        )


def _visitors() -> str:
    """Of the visitor whose script or fragment runs in this thread; English in any other."""
    return str(st.session_state.get(KEY) or ENGLISH) if get_script_run_ctx(suppress_warning=True) else ENGLISH


def _browsers() -> str:
    wanted = (st.context.locale or ENGLISH).partition("-")[0]
    return wanted if wanted in LANGUAGES else ENGLISH
