"""A page of a room asks the server whether what it shows has changed, and only then is it drawn again.

Asking costs the server about a millisecond; drawing a page costs tens of them (docs/performance.md).
"""

from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from explorer.errors import ExplorerError
from explorer.passes import VALID_SECONDS
from explorer.ui import component, membership, resources

_component = st.components.v2.component(
    "residual_room_watch", js=Path(__file__).with_suffix(".js").read_text(), html="<span></span>", isolate_styles=False
)


def watch(signed: str, url: str, standing: str) -> None:
    """Run the fragment that this is called in again when the room stands otherwise; keep the pass over reloads."""
    data = {"url": url, "pass": signed, "standing": standing, "cookie": _cookie(signed, int(VALID_SECONDS))}
    _component(key="room-watch", data=component.sent(data), height="content", on_standing_change=_nothing)


def forget() -> None:
    """Take the pass out of the browser."""
    data = component.sent({"cookie": _cookie("", 0)})
    _component(key="room-forget", data=data, height="content", on_standing_change=_nothing)


async def answer(request: Request) -> Response:
    """How the room of the pass that is shown stands, as one word; 403 without one that holds."""
    try:
        standing = await run_in_threadpool(_standing, request.headers.get("x-room-pass", ""))
    except ExplorerError:
        return Response(status_code=403)
    return PlainTextResponse(standing, headers={"Cache-Control": "no-store"})


def _standing(signed: str) -> str:
    return resources.rooms().standing(signed)


def _cookie(value: str, seconds: int) -> str:
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{membership.COOKIE}={value}; path=/{path}; max-age={seconds}; samesite=strict"


def _nothing() -> None:
    """Without a callback the component has no such trigger."""
