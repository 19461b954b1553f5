"""The application with one address more, which says what its server holds: for benchmarks alone, never for visitors.

streamlit run benchmarks/observed.py --server.address 127.0.0.1
"""

import gc
import json
from dataclasses import asdict, dataclass

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from streamlit.runtime import get_instance
from streamlit.runtime.app_session import AppSession

from explorer.ui import router, server

ADDRESS = "/held"


@dataclass(frozen=True)
class Held:
    """What a server holds for its visitors."""

    connected: int
    """Sessions of pages that are open."""
    sessions: int
    """Those too that are kept two minutes for who comes back, and those that nobody can come back to but that are still
    in memory: of these there should be none."""
    fragments: int
    """Of all these sessions together."""


def held() -> Held:
    """Counted among all objects that Python has, so that what is no longer listed anywhere is counted too.

    But for the sessions of the first seconds: what is there when the server has warmed up is frozen, and not listed.
    """
    gc.collect()
    found = [one for one in gc.get_objects() if isinstance(one, AppSession)]
    # Streamlit offers no count of fragments; the tests of the soak fail if these names change
    fragments = sum(len(one._fragment_storage._fragments) for one in found)
    return Held(len(_sessions().list_active_sessions()), len(found), fragments)


def let_go() -> None:
    """Forget now the sessions that are kept for who comes back, as two minutes later it would happen by itself.

    Also those whose two minutes are over: they stay until the next session is kept, and no list has them.
    """
    _sessions()._session_storage._cache.clear()


def _sessions():
    return get_instance()._session_mgr


async def _answer(request: Request) -> Response:
    if "let_go" in request.query_params:
        let_go()  # in the thread that sessions come and go in
    return Response(json.dumps(asdict(await run_in_threadpool(held))), media_type="application/json")


app = st.App(
    router.__file__,
    routes=[*server.routes(), Route(ADDRESS, _answer)],
    lifespan=server.lifespan,
    on_script_error=server.on_script_error,
)
