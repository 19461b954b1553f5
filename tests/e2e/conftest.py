"""Real servers and a real browser. Without them the tests are skipped, or fail if REQUIRE_BROWSER=1."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).with_name("apps")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
START_SECONDS = 40
# Nothing runs, every chart is drawn, and what is on the page has stood still for a quarter of a second
_SETTLED = """() => {
  const busy = document.querySelector("[data-testid=stApp]").dataset.testScriptState !== "notRunning"
    || document.querySelector("#rx-opening, [data-testid=stSpinner], [data-testid=stSkeleton]")
    || document.querySelector(".residual-plot:not(.is-drawn)")
    || document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === "running")
  const parts = document.querySelectorAll("[data-testid=stMainBlockContainer], .residual-plot .main-svg")
  const state = [...parts].map((part) => [part.clientWidth, part.clientHeight]).join() + innerWidth + innerHeight
  const now = performance.now()
  if (busy || state !== window.wasState) [window.wasState, window.wasSince] = [state, now]
  return !busy && now - window.wasSince > 250
}"""


@contextmanager
def serving(script: Path, home: Path, **variables: str) -> Iterator[str]:
    """Run `streamlit run script` with its store in `home`; yields its address, ends its process group.

    `variables` are of its environment; an empty one is taken out.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless", "true", "--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    environment = {**os.environ, "EXPLORER_HOME": str(home), "PYTHONPATH": str(ROOT), **variables}
    environment = {name: value for name, value in environment.items() if value or name not in variables}
    log = home / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def settle(page: Any) -> None:
    """Wait until the page is drawn and nothing on it has moved since this was called, for a moment."""
    page.evaluate("window.wasState = null")
    page.wait_for_function(_SETTLED, timeout=90_000)


def tab_to(page: Any, selector: str) -> None:
    """Press Tab until what the selector names has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by the keyboard")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address; one server for the whole session."""
    with serving(ROOT / "app.py", tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="session")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: the folder that SCREENS names, else a temporary one of pytest's."""
    named = os.environ.get("SCREENS")
    chosen = Path(named) if named else tmp_path_factory.mktemp("screens")
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


@pytest.fixture
def cold_server(tmp_path: Path) -> Iterator[str]:
    """The address of a server that nobody has visited yet."""
    with serving(ROOT / "app.py", tmp_path) as address:
        yield address


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page with one chart that grows by itself (apps/live.py)."""
    with serving(APPS / "live_app.py", tmp_path_factory.mktemp("live")) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright."""
    chromium = shutil.which("chromium") or os.environ.get("CHROMIUM")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright")
    if not chromium:
        _missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


def _missing(what: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what} is not installed, and REQUIRE_BROWSER=1")
    pytest.skip(f"{what} is not installed")


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page in a context of its own: `new_page(width=390, color_scheme="dark")`."""
    contexts = []

    def open_page(width: int = 1280, height: int = 720, **options: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """A page at 1280x720, light."""
    return new_page()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what hinders readers."""
    package = pytest.importorskip("axe_playwright_python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
