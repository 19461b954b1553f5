"""What the page server does beside running pages: plotly.js, a redirect, torch, errors nobody caught."""

import gc
import gzip
import importlib
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from explorer import device
from explorer.config import network
from explorer.errors import ExplorerError
from explorer.ui import frame, live_feed, opening, resources, room_watch, sitemap

SETTLE_SECONDS = 1.5  # between the first script run and its last chart on the visitor's screen
_NOBODY_SECONDS = 3.0  # after which nobody is waiting for the first page
first_run_done = threading.Event()
log = logging.getLogger(__name__)

_FEEDS, _STANDING = "/live", "/standing"
_PLOTLY = distribution("plotly")
_PLOTLY_FILE = Path(str(_PLOTLY.locate_file("plotly/package_data/plotly.min.js")))
_PLOTLY_PATH = f"/vendor/plotly-{_PLOTLY.version}.min.js"
_PLOTLY_HEADERS = {
    # the version is in the address, so what a browser keeps never goes stale
    "Cache-Control": "public, max-age=31536000, immutable",
    "ETag": f'W/"plotly-{_PLOTLY.version}"',
    "Vary": "Accept-Encoding",
}


def plotly_url() -> str:
    """The address at which this server hands out plotly.js."""
    return _base() + _PLOTLY_PATH


def feed_url(name: str) -> str:
    """The address at which this server hands out the newest picture of a feed."""
    return f"{_base()}{_FEEDS}/{name}"


def standing_url() -> str:
    """The address at which this server says how somebody's room stands."""
    return _base() + _STANDING


def routes() -> list[Route]:
    """The addresses that the server answers itself, beside those of Streamlit."""
    return [
        Route(plotly_url(), _plotly),
        Route(feed_url("{name}"), live_feed.answer),
        Route(standing_url(), room_watch.answer),
        # Streamlit serves the default page at the root alone; its name is an address too
        Route(f"{_base()}/{sitemap.HOME.name}", _home),
        Route(f"{_base()}/", opening.answer),
    ]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Warm what pages need later, in a thread that waits for the first visitor's page."""
    device.keep_memory_together()
    threading.Thread(target=_warm, name="warm-torch", daemon=True).start()
    yield


def on_script_error(error: Exception) -> bool:
    """Show what a page did not catch, as one line; True keeps Streamlit from showing a traceback."""
    frame.show_error(error)
    return True


def _base() -> str:
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


async def _home(request: Request) -> Response:
    return RedirectResponse(str(request.url.replace(path=f"{_base()}/")))


async def _plotly(request: Request) -> Response:
    if request.headers.get("if-none-match") == _PLOTLY_HEADERS["ETag"]:
        return Response(status_code=304, headers=_PLOTLY_HEADERS)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(_PLOTLY_FILE, media_type="text/javascript", headers=_PLOTLY_HEADERS)
    body = await run_in_threadpool(_compressed_plotly)
    headers = {**_PLOTLY_HEADERS, "Content-Encoding": "gzip"}
    return Response(body, media_type="text/javascript", headers=headers)


def warm_first_page() -> None:
    """Have at hand what the first page waits for, while its browser still loads Streamlit."""
    with suppress(ImportError):  # Streamlit's own, which it imports for the first option of the first choice
        importlib.import_module("streamlit.emojis")
    _compressed_plotly()
    with suppress(ExplorerError):  # the page says what is wrong with them
        resources.library().runs()


@cache
def _compressed_plotly() -> bytes:
    return gzip.compress(_PLOTLY_FILE.read_bytes(), compresslevel=6, mtime=0)


def _warm() -> None:
    try:
        warm_first_page()
        first_run_done.wait(_NOBODY_SECONDS)
        time.sleep(SETTLE_SECONDS)
        opening.make()
        first_run_done.wait()
        time.sleep(SETTLE_SECONDS)
        # One thread: pages compute little, and beside a busy trainer two threads wait for each other (3.3 times slower)
        importlib.import_module("torch").set_num_threads(1)
        for name in ("resnet-8", "vgg-16@imagenet"):  # each kind's first summary takes seconds, the next milliseconds
            importlib.import_module("explorer.summary").summary(network(name))
        importlib.import_module("captum.attr")
        with suppress(ExplorerError):  # the pages say what is wrong with them
            resources.read_ahead()
        # What is loaded by now stays: a full collection would walk through it, and hold every visitor up for 0.2 s.
        gc.collect()
        gc.freeze()
    except Exception:
        log.exception("torch or captum cannot be imported: pages will show recordings, and fail to run anything")
