"""How much one visitor, and all of them together, may ask of the server in a short time.

What a click costs the server is bounded elsewhere; this bounds the clicks. Requests that reach no page, those for files
and charts, are a matter of the proxy in front (docs/deploy.md).
"""

import threading
import time
from collections.abc import Callable

import streamlit as st

from explorer.errors import RequestError
from explorer.language import tr
from explorer.runs import ACTIVE, Store
from explorer.ui import membership

SECONDS = 60.0
RATES = {"runs": (60, 300), "imports": (6, 30)}
"""In `SECONDS`: how many one visitor may ask for, how many all together. A race of five seeds is 20 runs."""
MOST_UNDER_WAY = 120
"""Runs of one visitor that wait or are trained: how long they take is not known, and each has to be looked after."""
_ALL = ""


class Buckets:
    """Tokens that refill steadily: a full bucket may be emptied at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._levels: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, what: str, who: str, count: int = 1) -> None:
        """Take `count` for one visitor and of all; refused, and nothing taken, where there are not so many left."""
        with self._lock:
            now = self._clock()
            buckets = {(what, who): RATES[what][0], (what, _ALL): RATES[what][1]}
            left = {bucket: self._level(bucket, size, now) - count for bucket, size in buckets.items()}
            short = [(-level / buckets[bucket]) * SECONDS for bucket, level in left.items() if level < 0]
            if short:
                wait = min(max(short), SECONDS)
                raise RequestError(tr("That is too much at once: try again in {seconds:.0f} s", seconds=wait + 0.5))
            self._levels |= {bucket: (level, now) for bucket, level in left.items()}
            self._forget(now)

    def _level(self, bucket: tuple[str, str], size: int, now: float) -> float:
        level, since = self._levels.get(bucket, (float(size), now))
        return min(float(size), level + (now - since) * size / SECONDS)

    def _forget(self, now: float) -> None:
        """Those that are full again need no place."""
        self._levels = {bucket: value for bucket, value in self._levels.items() if now - value[1] < SECONDS}


@st.cache_resource
def _buckets() -> Buckets:
    return Buckets()


def take(what: str, count: int = 1) -> None:
    """Count something that the visitor of this script run asks for. Raises RequestError where it is too much."""
    _buckets().take(what, membership.visit(), count)


def check_under_way(store: Store, who: str, count: int) -> None:
    """Refuse `count` more runs to one who has too many in the queue already."""
    under_way = sum(run.state in ACTIVE for run in store.runs() if run.asker == who)
    if under_way and under_way + count > MOST_UNDER_WAY:
        raise RequestError(tr("you have {count} trainings under way: wait until one has ended", count=under_way))
