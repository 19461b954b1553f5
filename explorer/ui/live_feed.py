"""What a live chart asks for while something trains: the newest picture, drawn once for all who watch it.

A rerun of a page's fragment costs the server tens of milliseconds a visitor and tick, this three (docs/performance.md).
"""

import gzip
import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from explorer.plots import theme

_FRESH_SECONDS = 0.9  # a picture is handed out so long without a look at the store: who watches asks once a second
_LEVEL = 5  # of gzip
_MOST = 64  # feeds kept: one for each set of runs that somebody watches


@dataclass(frozen=True)
class Picture:
    """A chart under way, and how far it is."""

    figure: theme.Figure
    alt: str
    narrow: theme.Narrow | None
    done: float
    """0..1"""
    said: str
    """How far, how fast, how long still."""

    def to_dict(self) -> dict[str, Any]:
        """As the browser wants it."""
        shown = {"figure": theme.to_json(self.figure), "alt": self.alt, "narrow": self.narrow}
        return {**shown, "status": {"done": self.done, "text": self.said}}


@dataclass(frozen=True)
class Version:
    """What a picture depends on."""

    stage: str
    """Which runs are under way, which have ended: when it changes the page around the chart has to change too."""
    newest: str
    """Of their records."""


@dataclass(frozen=True)
class Content:
    """A picture as it is sent, and the ETag that changes when it does."""

    tag: str
    json: bytes
    packed: bytes = field(init=False)
    """By gzip, once for all who watch."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "packed", gzip.compress(self.json, compresslevel=_LEVEL, mtime=0))


class Feed:
    """A picture that changes while several watch it."""

    def __init__(self, version: Callable[[], Version], draw: Callable[[], Picture]) -> None:
        self._version, self._draw = version, draw
        self._lock = threading.Lock()
        self._looked = -_FRESH_SECONDS
        self._drawn: Version | None = None
        self._content = Content("", b"")

    @property
    def stage(self) -> str:
        """As it is now."""
        return self._version().stage

    def picture(self) -> Picture:
        """As it is now."""
        return self._draw()

    @property
    def fresh(self) -> bool:
        """Whether what was drawn last is new enough to be handed out."""
        return time.monotonic() - self._looked < _FRESH_SECONDS

    def content(self) -> Content:
        """The newest picture; who asks while it is being drawn waits for it."""
        if not self.fresh:
            with self._lock:
                if not self.fresh:
                    self._look()
        return self._content

    def _look(self) -> None:
        version = self._version()
        if version != self._drawn:
            drawn = {**self._draw().to_dict(), "stage": version.stage}
            self._content, self._drawn = Content(f'W/"{_tag(repr(version))}"', json.dumps(drawn).encode()), version
        self._looked = time.monotonic()


_feeds: OrderedDict[str, Feed] = OrderedDict()
_lock = threading.Lock()


def offer(what: str, version: Callable[[], Version], draw: Callable[[], Picture]) -> tuple[str, Feed]:
    """The feed of `what`, one for all who ask for the same; the name that its address ends with, and the feed."""
    name = _tag(what)
    with _lock:
        feed = _feeds.setdefault(name, Feed(version, draw))
        _feeds.move_to_end(name)
        while len(_feeds) > _MOST:
            _feeds.popitem(last=False)
    return name, feed


async def answer(request: Request) -> Response:
    """The newest picture, or 304 if the browser has it, or 404 for one that nobody was shown."""
    feed = _feeds.get(request.path_params["name"])
    if feed is None:
        return Response(status_code=404)
    content = feed.content() if feed.fresh else await run_in_threadpool(feed.content)
    headers = {"ETag": content.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == content.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(content.json, media_type="application/json", headers=headers)
    return Response(content.packed, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})


def _tag(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
