"""The first page as a picture, against one that was looked at: fonts may differ a little, a missing chart may not.

Where the page is meant to look otherwise from now on: look at `first_page.png` in the folder of the pictures (README,
"Test it") and put it here.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.e2e.conftest import settle

WIDTH, HEIGHT, SMALLER = 1280, 820, 4
CELL = 20  # pixels: wider than a letter, smaller than a control
MOST = 0.3  # of what is drawn in a region that may look otherwise; another typeface changes a fifth
REGIONS = {  # left, top, right, bottom, in pixels of the page
    "menu": (0, 0, 300, 720),
    "finding": (340, 0, 1240, 240),
    "plain networks": (380, 240, 820, 540),
    "residual networks": (820, 240, 1240, 540),
    "legend": (380, 540, 1240, 600),
    "controls": (340, 640, 1240, 780),
}
REFERENCE = Path(__file__).with_name("first_page.png")
BROKEN = {  # what must be noticed, and where
    ".residual-plot { visibility: hidden }": {"plain networks", "residual networks", "legend"},
    ".scatterlayer { visibility: hidden }": {"plain networks", "residual networks"},
    ".rx-finding { visibility: hidden }": {"finding"},
    "[data-testid=stMainBlockContainer] { padding-top: 100px }": set(REGIONS) - {"menu"},
    "[data-testid=stColumn] { visibility: hidden }": {"controls"},
    "[data-testid=stSidebar] { display: none }": set(REGIONS),
}


@pytest.fixture
def shown(new_page: Any, server: str) -> Any:
    page = new_page(WIDTH, HEIGHT, color_scheme="light")
    page.goto(f"{server}/?lang=en")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)
    return page


def test_first_page_looks_as_it_did_when_it_was_looked_at(shown: Any, screens: Path) -> None:
    picture = _picture(shown)
    picture.save(screens / REFERENCE.name, optimize=True)
    assert _differing(picture) == {}


def test_a_broken_first_page_would_be_noticed(shown: Any) -> None:
    for css, where in BROKEN.items():
        style = shown.add_style_tag(content=css)
        settle(shown)
        assert where <= set(_differing(_picture(shown))), css
        style.evaluate("style => style.remove()")
        settle(shown)
    assert _differing(_picture(shown)) == {}
    shown.emulate_media(color_scheme="dark")
    settle(shown)
    assert set(_differing(_picture(shown))) == set(REGIONS), "the wrong theme"


def _picture(page: Any) -> Image.Image:
    whole = Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    return whole.resize((WIDTH // SMALLER, HEIGHT // SMALLER), Image.Resampling.BOX)


def _differing(picture: Image.Image) -> dict[str, float]:
    """The regions that look otherwise, with the share of what is drawn there that does."""
    now, then = _cells(picture), _cells(Image.open(REFERENCE))
    found = {}
    for name, (left, top, right, bottom) in REGIONS.items():
        part = np.s_[top // CELL : bottom // CELL, left // CELL : right // CELL]
        ground = np.median(then[part], axis=(0, 1))
        share = np.abs(now[part] - then[part]).sum() / np.abs(then[part] - ground).sum()
        if share > MOST:
            found[name] = round(float(share), 2)
    return found


def _cells(picture: Image.Image) -> NDArray[np.float64]:
    """Mean colours (rows, columns, 3) in 0..1."""
    cells = picture.resize((WIDTH // CELL, HEIGHT // CELL), Image.Resampling.BOX)
    return np.asarray(cells, dtype=np.float64) / 255
