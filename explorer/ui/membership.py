"""Who this visitor is: one visit among others, and in a room whom the signed pass names that the session holds, and a
cookie over reloads."""

import hashlib

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.errors import RequestError
from explorer.passes import Pass
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


def member() -> Pass | None:
    """Whom that pass names."""
    held = signed()
    return resources.rooms().look(held) if held else None


def visit() -> str:
    """What tells this visit from others while it lasts. It is neither shown nor kept: who has it can go on with it."""
    context = get_script_run_ctx()
    return context.session_id if context else "here"


def is_here(visit: str) -> bool:
    """Whether that visit lasts: its page is open."""
    return not st.runtime.exists() or st.runtime.get_instance().is_active_session(visit)


def mark() -> str:
    """What tells this visitor from others in the store: in a room the member, over reloads, else the visit."""
    who = member()
    return hashlib.sha256((who.member if who else visit()).encode()).hexdigest()[:16]


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
    found = resources.rooms().join(code, visit(), _browsers()[1])
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
