"""What does a room cost? Visitors who follow, what their asking takes, and how long until all see the next step.

python -m benchmarks.room [--browsers 30] [--seconds 15] [--json]

A server is started in a store of its own; the presenter acts on that store from outside, as another page would. The
visitors are simulated, as in benchmarks.load: each asks as a page's script does and has the page run anew when the
answer changes.
"""

import asyncio
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.command import parsed
from benchmarks.load import Visitor, arrived, cores, served, warmed
from explorer.room import Rooms
from explorer.runs import Store
from explorer.shown import LESSON, Shown

_PASS = re.compile(rb"[B-Z]{5}\.[0-9a-f]{8}\.visitor\.[0-9a-f]{16}\.\d+\.[0-9a-f]{64}")
_STANDING = re.compile(rb'"standing": ?"([0-9a-f]{16})"')
LOOK_SECONDS = 1.5
SHOWN = {"words": Shown(LESSON, "residual", "say"), "curves": Shown(LESSON, "stacking", "show")}


@dataclass
class Follower(Visitor):
    """A visitor's page in a room."""

    code: str = ""
    signed: str = ""
    standing: str = ""
    answers: list[float] = field(default_factory=list)
    """How long each answer to its asking took, in seconds."""

    async def run(self, fragment: str = "") -> None:
        """Ask for the page anew; a browser would ask for its one fragment, which is nearly all of it."""
        message = BackMsg()
        message.rerun_script.query_string = f"code={self.code}"
        message.rerun_script.page_name = "room"
        self.asked = self.asked or time.perf_counter()
        await self.socket.send(message.SerializeToString())

    def hear(self, content: bytes) -> None:
        """Take from a message whose page this is and how the room stands."""
        if found := _PASS.search(content):
            self.signed = found[0].decode()
        if found := _STANDING.search(content):
            self.standing = found[1].decode()

    async def look(self) -> None:
        """Ask how the room stands while `looking`, as the page's script does."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.looking and self.asked is None and await asyncio.to_thread(self._stands) != self.standing:
                await self.run()

    def _stands(self) -> str:
        began = time.perf_counter()
        try:
            self.server.request("GET", "/standing", headers={"X-Room-Pass": self.signed})
            answer = self.server.getresponse()
        except ConnectionError:
            self.server.close()
            return self.standing
        said = answer.read().decode()
        self.answers.append(time.perf_counter() - began)
        return said


async def reached(visitors: list[Visitor], change: Callable[[], None]) -> float:
    """Seconds from a change until all pages have been drawn again."""
    for visitor in visitors:
        visitor.waits.clear()
    began = time.perf_counter()
    await asyncio.to_thread(change)
    while not all(visitor.waits for visitor in visitors):
        await asyncio.sleep(0.02)
    return time.perf_counter() - began


async def measure(browsers: int, seconds: float) -> dict[str, float]:
    """The figures of the whole benchmark."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, served(home, "shapes") as (port, server):
        rooms = Rooms(Store(Path(home)))
        presenter = rooms.open()
        code = rooms.look(presenter).code
        await warmed(port, server)
        async with arrived(port, browsers, partial(Follower, code=code)) as visitors:
            idle = await cores(server, seconds)
            for visitor in visitors:
                visitor.looking = True
            asking = await cores(server, seconds)
            answers = [took for visitor in visitors for took in visitor.answers]  # type: ignore[attr-defined]
            seen = {}
            for name, shown in SHOWN.items():
                seen[name] = await reached(visitors, partial(rooms.show, presenter, shown))
    return {
        "idle_cores": idle,
        "asking_cores": asking,
        "answer_median_ms": 1000 * statistics.median(answers),
        "answer_p95_ms": 1000 * statistics.quantiles(answers, n=20)[-1],
        **{f"{name}_seen_by_all_seconds": took for name, took in seen.items()},
    }


def main() -> None:
    """Print the figures."""
    options = parsed(__doc__, browsers={"type": int, "default": 30}, seconds={"type": float, "default": 15.0})
    found = asyncio.run(measure(options.browsers, options.seconds))
    print(json.dumps(found) if options.json else json.dumps({k: round(v, 3) for k, v in found.items()}, indent=1))


if __name__ == "__main__":
    main()
