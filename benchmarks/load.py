"""What does a class cost? Visitors who watch a race, how long they wait, and what they take from the training.

python -m benchmarks.load [--browsers 30] [--seconds 60] [--data D] [--json]

A server is started in a store of its own, and what it loads behind its first visitor is waited for. The visitors change
something now and then while nothing trains. Then two networks train: first the visitors only look at their live chart,
in turns with looking away; then each changes something, too. They are simulated: each speaks Streamlit's protocol as a
browser does, but draws nothing, since real ones draw on the class's own machines.
"""

import asyncio
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.command import parsed
from explorer.data import sources
from explorer.race import Race
from explorer.recipes import RECIPES
from explorer.records import StepRecord
from explorer.runs import ACTIVE, Store

_FEED = re.compile(rb"/live/[0-9a-f]{16}")
RECIPE, SEEDS = "longer", 8
THINKING = 15.0  # seconds, on average, between two changes that a visitor makes
STARTING = 60.0
WARMING, QUIET_CORES = 300.0, 0.05
QUIET = 5.0  # seconds; longer than the server rests before it begins to load torch and the images
WINDOWS = 4  # with and without visitors who look, in turns
ROOT = Path(__file__).parents[1]


@dataclass
class Visitor:
    """One open page: its websocket, the clocks of its fragments, how long its own changes took."""

    socket: Any
    server: HTTPConnection
    waits: list[float] = field(default_factory=list)
    clocks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    feed: str = ""
    """Where the live chart of the page asks for its newest picture, if there is one."""
    tag: str = ""
    looking: bool = False
    page: str = ""
    asked: float | None = None
    answering: bool = False

    async def run(self, fragment: str = "") -> None:
        """Ask for the page anew, or for one of its fragments."""
        message = BackMsg()
        message.rerun_script.query_string = f"recipe={RECIPE}"
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = bool(fragment)
        if not fragment:
            self.asked = self.asked or time.perf_counter()
        await self.socket.send(message.SerializeToString())

    async def listen(self) -> None:
        """Take what the server sends, as a browser would."""
        async for content in self.socket:
            self.hear(content)
            message = ForwardMsg.FromString(content)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page = message.new_session.page_script_hash
                self.answering = not message.metadata.run.fragment_ids
                if self.answering:
                    self.stop_clocks()
            elif kind == "auto_rerun":
                self._start_clock(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            elif kind == "script_finished" and self.answering and self.asked is not None:
                self.waits.append(time.perf_counter() - self.asked)
                self.asked, self.answering = None, False

    def hear(self, content: bytes) -> None:
        """Take from a message where the live chart is."""
        if feed := _FEED.search(content):
            self.feed = feed[0].decode()

    async def look(self) -> None:
        """Ask for the newest picture of the live chart once a second while `looking`, as its script does."""
        while True:
            await asyncio.sleep(1)
            if self.feed and self.looking:
                await asyncio.to_thread(self._fetch)

    def _fetch(self) -> None:
        try:
            self.server.request("GET", self.feed, headers={"If-None-Match": self.tag, "Accept-Encoding": "gzip"})
            answer = self.server.getresponse()
        except ConnectionError:  # it is closed after some idle seconds; a browser opens another too
            self.server.close()
            return
        answer.read()
        self.tag = answer.headers.get("ETag", "")

    def stop_clocks(self) -> None:
        """As when a page is left or run anew."""
        for clock in self.clocks.values():
            clock.cancel()
        self.clocks.clear()

    def _start_clock(self, fragment: str, interval: float) -> None:
        async def tick() -> None:
            while True:
                await asyncio.sleep(interval)
                await self.run(fragment)

        if fragment not in self.clocks:
            self.clocks[fragment] = asyncio.create_task(tick())


@asynccontextmanager
async def arrived(
    port: int, browsers: int, kind: Callable[[Any, HTTPConnection], Visitor] = Visitor
) -> AsyncIterator[list[Visitor]]:
    """So many visitors, each with the page open and answered; they neither look nor change anything yet."""
    async with AsyncExitStack() as opened:
        visitors, tasks = [], []
        for _ in range(browsers):
            address = f"ws://127.0.0.1:{port}/_stcore/stream"
            connecting = websockets.connect(address, subprotocols=[websockets.Subprotocol("streamlit")], max_size=None)
            visitor = kind(await opened.enter_async_context(connecting), HTTPConnection("127.0.0.1", port))
            tasks += [asyncio.create_task(visitor.listen()), asyncio.create_task(visitor.look())]
            opened.callback(visitor.server.close)
            visitors.append(visitor)
            await visitor.run()
            while visitor.asked is not None:
                await asyncio.sleep(0.02)
        yield visitors
        for visitor in visitors:
            visitor.stop_clocks()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task  # raises what went wrong in it


async def change(visitor: Visitor, seconds: float, chance: random.Random) -> list[float]:
    """Let one visitor change something now and then; how long each answer took, in seconds."""
    end = time.monotonic() + seconds
    visitor.waits.clear()
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(chance.expovariate(1 / THINKING), left))
        if visitor.asked is None and time.monotonic() < end:
            await visitor.run()
    return visitor.waits


async def changes(visitors: list[Visitor], seconds: float) -> list[float]:
    """The waits of all of them."""
    waits = await asyncio.gather(*(change(v, seconds, random.Random(i)) for i, v in enumerate(visitors)))
    return [wait for several in waits for wait in several]


async def warmed(port: int, server: psutil.Process) -> None:
    """Let a first visitor come, and wait until the server has loaded what it loads behind them: it takes no time."""
    async with arrived(port, 1):
        began = time.monotonic()
        while await cores(server, QUIET) > QUIET_CORES:
            if time.monotonic() - began > WARMING:
                raise TimeoutError(f"the server did not come to rest within {WARMING:.0f} s")


async def cores(server: psutil.Process, seconds: float) -> float:
    """How many cores the server takes."""
    before, began = sum(server.cpu_times()[:2]), time.perf_counter()
    await asyncio.sleep(seconds)
    return (sum(server.cpu_times()[:2]) - before) / (time.perf_counter() - began)


@contextmanager
def served(home: str, data: str, script: Path = ROOT / "app.py") -> Iterator[tuple[int, psutil.Process]]:
    """The application on a port of its own, reached from this machine alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    environment = {**os.environ, "EXPLORER_HOME": home, "EXPLORER_DATA": data, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            began = time.monotonic()
            while time.monotonic() - began < STARTING:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.1)
            yield port, psutil.Process(server.pid)
        finally:
            server.terminate()


def images_trained(store: Store) -> int:
    """By all runs together, as far as they have said."""
    total = 0
    for run in store.runs():
        steps = [record.step for record in store.records(run.run) if isinstance(record, StepRecord)]
        total += max(steps, default=0) * run.config.training.batch_size
    return total


async def window(store: Store, server: psutil.Process, seconds: float) -> tuple[float, float]:
    """Images trained a second, and how many cores the server took, in so many seconds."""
    before, began = images_trained(store), time.perf_counter()
    taken = await cores(server, seconds)
    return (images_trained(store) - before) / (time.perf_counter() - began), taken


async def train(store: Store, data: str) -> None:
    """Queue more than will be trained and wait until the first steps are done."""
    source, recipe = sources.resolve(data), RECIPES[RECIPE]
    race = Race(recipe, source.name, (recipe.depths[1],), seeds=tuple(range(SEEDS)))
    store.submit(race.runs, str(source.path or source.kind))
    began = time.monotonic()
    while images_trained(store) == 0:
        if time.monotonic() - began > STARTING:
            raise TimeoutError(f"nothing was trained within {STARTING:.0f} s")
        await asyncio.sleep(0.5)


async def measure(browsers: int, seconds: float, data: str) -> dict[str, float]:
    """The figures of the whole benchmark."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, served(home, data) as (port, server):
        store = Store(Path(home))
        await warmed(port, server)
        async with arrived(port, browsers) as visitors:
            idle = await changes(visitors, seconds / 2)
        await train(store, data)
        async with arrived(port, browsers) as visitors:
            memory = server.memory_info().rss
            windows: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
            for turn in range(WINDOWS):
                for looking in (False, True) if turn % 2 == 0 else (True, False):  # neither has the better half
                    _look(visitors, looking)
                    windows[looking].append(await window(store, server, seconds / WINDOWS))
            waits = await changes(visitors, seconds)
            grown = server.memory_info().rss - memory
        store.stop([run.run for run in store.runs() if run.state in ACTIVE])
    return {
        "p95_ms": 1000 * _percentile(waits),
        "median_ms": 1000 * statistics.median(waits),
        "changes": len(waits),
        "idle_p95_ms": 1000 * _percentile(idle),
        "ratio_to_idle": _percentile(waits) / _percentile(idle),
        "training_slowdown": 1 - _mean(windows[True]) / _mean(windows[False]),
        "server_cores": statistics.median(cores for _, cores in windows[True]),
        "memory_growth_mb": grown / 1e6,
    }


def _look(visitors: list[Visitor], looking: bool) -> None:
    for visitor in visitors:
        visitor.looking = looking


def _mean(windows: list[tuple[float, float]]) -> float:
    return statistics.mean(images for images, _ in windows)


def _percentile(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]


def main() -> None:
    """Print the figures."""
    options = parsed(
        __doc__, browsers={"type": int, "default": 30}, data={"default": "auto"},
        seconds={"type": float, "default": 60.0, "help": "watched, unwatched, and with changes, each"},
    )  # fmt: skip
    found = asyncio.run(measure(options.browsers, options.seconds, options.data))
    print(json.dumps(found) if options.json else json.dumps({k: round(v, 3) for k, v in found.items()}, indent=1))


if __name__ == "__main__":
    main()
