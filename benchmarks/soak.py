"""Does the server hold what visitors leave behind? They come, look round, change something and leave, for half an hour.

python -m benchmarks.soak [--minutes 30] [--visitors 10] [--data D] [--json]

The server is a real one with one more address (benchmarks.observed), the visitors are simulated (benchmarks.load): one
page each is always open, each stays for some changes and is then followed by another, one stays to the end. Now and
then a race trains. Before and after, with nobody there, it is looked what is left of them.

Memory is called flat if the line of least squares through the server's own (`heap_mb`, `rss_mb`) over the second half
rises by at most 5 % of its level an hour; sessions and fragments if as many are there afterwards as before, threads and
handles if no more than a pool of threads (16) came to them.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.command import parsed
from benchmarks.load import ROOT, Visitor, arrived, cores, served, warmed
from explorer.data import sources
from explorer.race import Race
from explorer.recipes import RECIPES
from explorer.runs import ACTIVE, Store

RECIPE = "brief"
PAGES = (
    "", "architecture", "depth", "responses", "attributions", "gradients", "surface", "lesions", "toys", "lesson",
    "questions", "related_work", "notes", "runs", "room",
)  # fmt: skip
THINKING = 1.0  # seconds, on average, between two changes: in haste, so that caches are full by half of the time
CHANGES = 8  # at most, of one visitor
SAMPLE_SECONDS, RACE_SECONDS = 10.0, 40.0
ANSWER_SECONDS = 120.0
REST_SECONDS, BUSY_CORES = 5.0, 0.2
RISE, POOL = 0.05, 16
MOST_LEFT = {"threads": POOL, "handles": POOL, "sessions": 0, "fragments": 0}
JUDGED, TOLD = ("heap_mb", "rss_mb", *MOST_LEFT), ("heap_mb", "rss_mb", "tree_pss_mb", *MOST_LEFT)
_TRAINERS = ("explorer.engines.worker", "explorer.engines.ray_driver")


@dataclass(frozen=True)
class Sample:
    """What a server takes and holds at one moment."""

    seconds: float
    """Since the soak began."""
    heap_mb: float
    """Of the server's process, without files that are mapped: that part is larger while nobody else maps them."""
    rss_mb: float
    tree_pss_mb: float
    """With the processes that it started but for those that train; what several share counts by the share (PSS)."""
    threads: int
    handles: int
    """Files, sockets and pipes that are open."""
    connected: int
    """Pages that are open."""
    sessions: int
    """All that are in memory, those kept for who comes back too."""
    fragments: int
    """Of all these sessions."""


@dataclass
class Guest(Visitor):
    """A visitor who goes from page to page."""

    name: str = ""
    address: str = ""

    async def run(self, fragment: str = "") -> None:
        """Ask for the page that the visitor goes to, or for a fragment of it."""
        message = BackMsg()
        message.rerun_script.query_string = self.address
        if fragment:
            message.rerun_script.page_script_hash = self.page
            message.rerun_script.fragment_id = fragment
            message.rerun_script.is_auto_rerun = True
        else:
            message.rerun_script.page_name = self.name
            self.asked = self.asked or time.perf_counter()
        await self.socket.send(message.SerializeToString())

    async def go(self, name: str, address: str = "") -> None:
        """To a page, until it is drawn."""
        self.name, self.address, self.feed = name, address, ""
        end = time.monotonic() + ANSWER_SECONDS
        await self.run()
        while self.asked is not None:
            if time.monotonic() > end:
                raise TimeoutError(f"the page {name or 'at the root'} was not drawn within {ANSWER_SECONDS:.0f} s")
            await asyncio.sleep(0.05)


async def visit(port: int, changes: int, chance: random.Random, until: float) -> None:
    """Come, look round, and leave after so many changes, or when the time is over."""
    async with arrived(port, 1, Guest) as (guest,):
        guest.looking = True
        for _ in range(changes):
            if time.monotonic() > until:
                return
            await guest.go(chance.choice(PAGES), chance.choice(("", f"recipe={RECIPE}", "lang=ko", "depth=32")))
            await asyncio.sleep(min(chance.expovariate(1 / THINKING), max(0.0, until - time.monotonic())))


async def visits(port: int, visitors: int, seconds: float, chance: random.Random) -> int:
    """So many pages open at once for so long, one of them the same throughout; how many visitors came."""
    until, came = time.monotonic() + seconds, 1

    async def one_after_the_other() -> None:
        nonlocal came
        while time.monotonic() < until:
            came += 1
            await visit(port, chance.randint(1, CHANGES), chance, until)

    stays = visit(port, 10**9, chance, until)
    async with asyncio.TaskGroup() as group:
        for one in [stays, *(one_after_the_other() for _ in range(visitors - 1))]:
            group.create_task(one)
    return came


async def races(store: Store, data: str) -> None:
    """A race now and then, each of another seed, as if somebody had pressed the button; without end."""
    source, recipe, seed = sources.resolve(data), RECIPES[RECIPE], 0
    while True:
        runs = Race(recipe, source.name, recipe.depths, seeds=(seed,)).runs
        store.submit(runs, str(source.path or source.kind))
        await asyncio.sleep(RACE_SECONDS)
        store.stop([run.run for run in store.runs() if run.state in ACTIVE])  # where the machine is slower than that
        seed += 1


def sample(port: int, server: psutil.Process, began: float, let_go: bool = False) -> Sample:
    """What the server takes and holds now; without sessions that are kept for who comes back, if they are let go."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/held{'?let_go=1' if let_go else ''}", timeout=60) as answer:
        held = json.loads(answer.read())
    tree = sum(_memory(one, "Pss") for one in (server, *_helpers(server)))
    taken = _memory(server, "Anonymous"), _memory(server, "Rss"), tree
    return Sample(time.monotonic() - began, *taken, server.num_threads(), server.num_fds(), **held)


async def watched(port: int, server: psutil.Process, samples: list[Sample], began: float) -> None:
    """A sample now and then, without end."""
    while True:
        samples.append(await asyncio.to_thread(sample, port, server, began))
        await asyncio.sleep(SAMPLE_SECONDS)


async def left(port: int, server: psutil.Process, began: float) -> Sample:
    """What is there when all have left and the server has come to rest.

    Streamlit's loop holds the last session that it saw, so the last to leave does so from the same page each time.
    """
    async with arrived(port, 1, Guest) as (guest,):
        await guest.go("notes")
    end = time.monotonic() + ANSWER_SECONDS
    while await cores(server, REST_SECONDS) > BUSY_CORES and time.monotonic() < end:
        pass
    return await asyncio.to_thread(sample, port, server, began, True)


@dataclass(frozen=True)
class Soaked:
    """What was seen of a server."""

    visits: int
    samples: list[Sample]
    """Every ten seconds, while visitors were there."""
    empty: list[Sample]
    """With nobody there: at first, and after each round of visitors."""


async def soak(minutes: float, visitors: int, data: str, rounds: int = 1) -> Soaked:
    """Visitors for so many minutes, as often as there are rounds; after each all leave."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        served(home, data, ROOT / "benchmarks" / "observed.py") as (port, server),
    ):
        store, chance, began = Store(Path(home)), random.Random(0), time.monotonic()
        await warmed(port, server)
        async with arrived(port, 1, Guest) as (guest,):
            for name in PAGES:  # what is loaded behind a page's first visitor is no growth
                await guest.go(name)
        samples, empty, came = [], [await left(port, server, began)], 0
        async with beside(watched(port, server, samples, began), races(store, data)):
            for _ in range(rounds):
                came += await visits(port, visitors, 60 * minutes, chance)
                empty.append(await left(port, server, began))
        store.stop([run.run for run in store.runs() if run.state in ACTIVE])
    return Soaked(came, samples, empty)


@asynccontextmanager
async def beside(*endless: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run these as long as the block; what goes wrong in one is raised at its end."""
    tasks = [asyncio.create_task(one) for one in endless]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def figures(found: Soaked) -> dict[str, Any]:
    """How much each of it grew an hour over the second half, what is left of it, and whether that is flat."""
    half = [one for one in found.samples if one.seconds >= (found.samples[0].seconds + found.samples[-1].seconds) / 2]
    hours = [one.seconds / 3600 for one in half]
    told: dict[str, Any] = {"visits": found.visits, "samples": len(found.samples), "flat": True}
    for name in TOLD:
        values = [getattr(one, name) for one in half]
        level, grown = statistics.mean(values), statistics.linear_regression(hours, values).slope
        before, after = (getattr(one, name) for one in (found.empty[0], found.empty[-1]))
        told[name] = {"level": level, "grown_per_hour": grown, "before": before, "after": after}
        if name in JUDGED:
            flat = after - before <= MOST_LEFT[name] if name in MOST_LEFT else grown <= RISE * level
            told[name]["flat"] = flat
            told["flat"] &= flat
    return told


def _helpers(server: psutil.Process) -> list[psutil.Process]:
    """The processes that a server started, but for those that train, and what these started."""
    with suppress(psutil.NoSuchProcess):
        return [
            process
            for child in server.children()
            if not set(_TRAINERS) & set(_command(child))
            for process in (child, *child.children(recursive=True))
        ]
    return []


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _memory(process: psutil.Process, what: str) -> float:
    """MB of one kind, as Linux counts them; 0 of a process that is gone."""
    with suppress(OSError):
        rows = (row.split() for row in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:])
        return next(int(row[1]) / 1e3 for row in rows if row[0] == f"{what}:") * 1.024
    return 0.0


def main() -> None:
    """Print the figures; with --json all samples too."""
    options = parsed(
        __doc__, minutes={"type": float, "default": 30.0}, visitors={"type": int, "default": 10},
        data={"default": "auto"},
    )  # fmt: skip
    found = asyncio.run(soak(options.minutes, options.visitors, options.data))
    told = figures(found)
    seen = {"seen": [asdict(one) for one in found.samples]}
    print(json.dumps(told | seen) if options.json else json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
