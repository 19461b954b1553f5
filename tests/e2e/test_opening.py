"""What a new browser sees while it loads Streamlit: there before any script, where the page draws it later."""

import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, serving, settle

OPENING = "#rx-opening"
_SCRIPTS = "**/static/js/*"
# Both draw the same: what the opening calls it, and what Streamlit and plotly.js do
_SAME = {
    ".rx-question": "[data-testid=stMain] h1",
    ".rx-finding p:nth-child(1)": "[data-testid=stMain] .rx-finding p:nth-child(1)",
    ".rx-finding p:nth-child(3)": "[data-testid=stMain] .rx-finding p:nth-child(3)",
    ".rx-provenance": "[data-testid=stMain] .rx-provenance",
    ".rx-still-panel:nth-child(1) > svg": ".residual-plot .bglayer rect:nth-of-type(1)",
    ".rx-still-legend > div:nth-child(4)": ".residual-plot .legend .groups:nth-child(4)",
}
_PLACES = """(selectors) => selectors.map((selector) => {
  const { left, top } = document.querySelector(selector).getBoundingClientRect()
  return [left, top]
})"""
MOST_APART = 3  # pixels


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One without runs of its own that has been up for some seconds."""
    with serving(ROOT / "app.py", tmp_path_factory.mktemp("home")) as address:
        end = time.monotonic() + 60
        while b"rx-opening" not in urllib.request.urlopen(address, timeout=5).read():
            assert time.monotonic() < end, "there is no opening"
            time.sleep(0.2)
        yield address


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_it_stands_where_the_page_will_draw_it(
    server: str, new_page: Callable[..., Any], width: int, locale: str
) -> None:
    before = new_page(width, 900, locale=locale)
    before.route(_SCRIPTS, lambda route: route.abort())
    before.goto(server)
    before.locator(OPENING).wait_for(timeout=10_000)
    before.evaluate("document.fonts.ready")
    after = new_page(width, 900, locale=locale)
    after.goto(server)
    after.wait_for_selector(".residual-plot.is-drawn")
    settle(after)

    then = before.evaluate(_PLACES, [f"{OPENING} {selector}" for selector in _SAME])
    now = after.evaluate(_PLACES, list(_SAME.values()))
    apart = {
        name: [round(abs(a - b)) for a, b in zip(*places, strict=True)]
        for name, *places in zip(_SAME, then, now, strict=True)
    }
    assert all(max(places) <= MOST_APART for places in apart.values()), apart


def test_it_goes_when_the_page_is_drawn(server: str, page: Any) -> None:
    page.goto(server)
    page.locator(OPENING).wait_for(state="attached", timeout=10_000)
    assert page.locator(OPENING).get_attribute("aria-hidden") == "true"
    page.wait_for_selector(".residual-plot.is-drawn")
    page.locator(OPENING).wait_for(state="detached", timeout=2_000)
    assert page.evaluate("document.documentElement.style.colorScheme") == ""


def test_it_goes_with_a_page_that_is_left(server: str, page: Any) -> None:
    page.route("**/vendor/plotly*", lambda route: None)  # the chart is never drawn
    page.goto(server)
    page.locator("[data-testid=stSidebarNavLink]").nth(1).click()
    page.wait_for_url("**/architecture*")  # its network follows in the address, sooner or later
    page.locator(OPENING).wait_for(state="detached", timeout=10_000)


def test_it_goes_when_the_chart_cannot_be_drawn(server: str, page: Any) -> None:
    page.route("**/vendor/plotly*", lambda route: route.abort())
    page.goto(server)
    page.wait_for_selector(".residual-plot-failed", state="attached")
    page.locator(OPENING).wait_for(state="detached", timeout=2_000)


def test_it_moves_with_nobody(server: str, new_page: Callable[..., Any]) -> None:
    """Who scrolls while the chart is still on its way sees the page, not a picture that stays behind."""
    page = new_page(390, 600)
    page.route("**/vendor/plotly*", lambda route: None)
    page.goto(server)
    page.wait_for_selector(".residual-plot", state="attached")
    assert page.locator(OPENING).count() == 1
    page.mouse.move(200, 300)
    page.mouse.wheel(0, 300)
    page.locator(OPENING).wait_for(state="detached", timeout=5_000)


@pytest.mark.parametrize(
    ("asked", "scheme", "dark"), [("dark", "light", True), ("light", "dark", False), ("", "dark", True)]
)
def test_it_is_as_dark_as_the_page(
    server: str, new_page: Callable[..., Any], asked: str, scheme: str, dark: bool
) -> None:
    page = new_page(color_scheme=scheme)
    page.route(_SCRIPTS, lambda route: route.abort())
    page.goto(f"{server}/?theme={asked}" if asked else server)
    page.locator(OPENING).wait_for(timeout=10_000)
    ground = page.evaluate(f"getComputedStyle(document.querySelector('{OPENING}')).backgroundColor")
    assert ground == ("rgb(16, 21, 28)" if dark else "rgb(255, 255, 255)")
