"""How long until a first visitor sees the first picture, against an empty Streamlit app with one Plotly chart?

python -m benchmarks.startup [--rounds 5] [--json]

Both servers are started afresh in each round, one after the other, and visited three times, each time by a new browser:
right after the start (cold), at once again (warm), and ten seconds later. Seconds until the chart is drawn, and `seen`
until anything is: of the explorer its sentences and recorded curves (but for the cold visit), of the empty app nothing
of its own. Medians; needs playwright and chromium.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.command import parsed

ROOT = Path(__file__).resolve().parents[1]
_EMPTY = """import plotly.graph_objects as go
import streamlit as st

st.title("Empty")
st.plotly_chart(go.Figure(go.Scatter(y=[1, 3, 2])))
"""
_WAITS = {"cold": 0, "warm": 0, "later": 10}  # seconds before each visit
_TIMES = ("start", *_WAITS, *(f"{visit} seen" for visit in _WAITS))
_DRAWN = {"explorer": ".residual-plot.is-drawn", "empty": ".js-plotly-plot .main-svg"}
_SEEN = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Measure and print."""
    options = parsed(__doc__, rounds={"type": int, "default": 5})
    from playwright.sync_api import sync_playwright

    found: dict[str, dict[str, list[float]]] = {name: {what: [] for what in _TIMES} for name in _DRAWN}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text(_EMPTY)
        scripts = {"explorer": ROOT / "app.py", "empty": empty}
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        for round_ in range(options.rounds):
            for name, script in scripts.items():
                began = time.perf_counter()
                with _serving(script, Path(folder) / f"{name}-{round_}") as address:
                    found[name]["start"].append(time.perf_counter() - began)
                    for visit, seconds in _WAITS.items():
                        time.sleep(seconds)
                        seen, drawn = _painted(browser, address, _DRAWN[name])
                        found[name][visit].append(drawn)
                        found[name][f"{visit} seen"].append(seen)
        browser.close()
    middles = {name: {what: median(times) for what, times in of_it.items()} for name, of_it in found.items()}
    ratios = {what: middles["explorer"][what] / middles["empty"][what] for what in ("start", *_WAITS)}
    named = {"first_paint_ratio": ratios.pop("cold"), **{f"{what}_ratio": ratio for what, ratio in ratios.items()}}
    values = {**named, "seconds": middles, "rounds": options.rounds}
    sys.stdout.write(json.dumps(values, indent=None if options.json else 1) + "\n")


def _painted(browser: Any, address: str, drawn: str) -> tuple[float, float]:
    """Seconds from the navigation to the first paint, and to the drawn chart, in a browser context of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(drawn, timeout=120_000)
    seconds = time.perf_counter() - began
    seen: float = page.evaluate(_SEEN)
    context.close()
    return seen, seconds


@contextmanager
def _serving(script: Path, home: Path) -> Iterator[str]:
    """A server of its own for a script, until it says that it is healthy; yields its address."""
    home.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless", "true", "--server.port", str(port), "--server.address", "127.0.0.1",
               "--browser.gatherUsageStats", "false"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), *options],
        cwd=ROOT if script.is_relative_to(ROOT) else home,
        env={**os.environ, "EXPLORER_HOME": str(home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
