"""This visitor's part in a room: a signed pass, which the session holds, and a cookie over reloads."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.errors import RequestError
from explorer.ui import resources

COOKIE = "rx-room"
_KEY = "room-pass"


def signed() -> str | None:
    """The pass of this visitor; None outside of a room, or when it has ended."""
    held: str | None = st.session_state.get(_KEY)
    if held is None:
        held = _browsers()[0]
    if not held:
        return None
    try:
        resources.rooms().look(held)
    except RequestError:
        return None
    return held


def hold(shown: str) -> None:
    """From now on this is the visitor's pass; empty: none."""
    st.session_state[_KEY] = shown


def enter() -> str | None:
    """The pass that the address asks for, a presenter's link or a room's code, else the one that is held.

    A presenter's link leaves the address at once: that is on the projector. Raises RequestError for a wrong one.
    """
    if link := str(st.query_params.pop("key", "")):
        hold("")
        st.query_params["code"] = resources.rooms().look(link).code
        hold(link)
        return link
    held, code = signed(), st.query_params.get("code", "")
    if code and (held is None or resources.rooms().look(held).code != code.upper()):
        return join(code)
    return held


def join(code: str) -> str:
    """Become a visitor of the room of this code."""
    found = resources.rooms().join(code, _session(), _browsers()[1])
    hold(found)
    st.query_params["code"] = resources.rooms().look(found).code
    return found


def leave() -> None:
    """Be in no room any more."""
    hold("")
    st.query_params.pop("code", None)


def _browsers() -> tuple[str | None, str]:
    """The pass that the browser kept, and the address that it asks from."""
    return st.context.cookies.get(COOKIE), st.context.ip_address or "here"


def _session() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else "here"
