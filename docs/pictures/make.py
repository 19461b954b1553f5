"""The README's pictures: each page as a visitor of a fresh server sees it, 1280 pixels wide, in the light theme.

    EXPLORER_DATA=folder python -m docs.pictures.make [PAGE …]

With CIFAR-10 at hand (EXPLORER_DATA, as for the app) the recorded networks have images to explain. Needs chromium and
what the tests need.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from explorer.ui import sitemap
from tests.e2e.conftest import FLAGS, ROOT, serving

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 1280, 800
QUALITY = 80
_ASKED = {"lesson": "step=residual", "architecture": "network=resnet-20"}
"""What an address asks for beside the page, where the page's own choice shows less of it."""
_DRAWN = """() => document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning"
  && !document.querySelector("[data-testid=stSkeleton], [data-testid=stSpinner], .residual-plot:not(.is-drawn)")
  && ![...document.querySelectorAll("button")].some((button) => button.innerText.trim().endsWith("Stop"))"""
"""Nothing runs, and nothing is being measured that could be stopped."""
_SETTLE_MS, _WAIT_MS = 2500, 180_000


def main(names: list[str]) -> None:
    """Picture the pages called so, all of them by default."""
    with (
        tempfile.TemporaryDirectory() as home,
        serving(ROOT / "app.py", Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        for name in names or [row.name for row in sitemap.PAGES]:
            _save(_pictured(page, address, name), FOLDER / f"{name}.webp")
        browser.close()


def _pictured(page: Any, server: str, name: str) -> bytes:
    page.goto(f"{server}/{_BEFORE.get(name, name)}?lang=en&{_ASKED.get(name, '')}")
    page.get_by_role("heading", level=1).wait_for(timeout=_WAIT_MS)
    _settle(page)
    _TO_DO.get(name, _settle)(page)
    _settle(page)
    shot: bytes = page.screenshot()
    return shot


def _settle(page: Any) -> None:
    page.wait_for_function(_DRAWN, timeout=_WAIT_MS)
    page.wait_for_timeout(_SETTLE_MS)
    page.wait_for_function(_DRAWN, timeout=_WAIT_MS)


def _keep_a_figure(page: Any) -> None:
    page.locator(".residual-plot").first.hover()
    page.locator("[data-title='Keep for my notes']").first.click()
    page.get_by_text("Kept: see the page Notes.").wait_for()
    page.get_by_role("link", name="Notes", exact=True).click()
    page.get_by_text("Kept: see the page Notes.").wait_for(state="hidden")


def _open_a_room(page: Any) -> None:
    page.locator(".st-key-room-open button").click()
    page.locator(".rx-code").wait_for()


_BEFORE = {"notes": "gradients"}
"""Where the way to a page begins, if it has nothing to show by itself."""
_TO_DO = {"notes": _keep_a_figure, "room": _open_a_room}


def _save(shot: bytes, file: Path) -> None:
    Image.open(io.BytesIO(shot)).convert("RGB").save(file, quality=QUALITY, method=6)
    sys.stdout.write(f"{file.name} {file.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
