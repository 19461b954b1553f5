"""The app around its pages, as visitors get it: cold deep links, the menu, live charts, themes."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.ui import sitemap
from explorer.ui.server import plotly_url
from tests.e2e.conftest import ROOT, serving

TITLES = [row.title for row in sitemap.PAGES]
DRAWN = ".residual-plot.is-drawn"


@pytest.mark.parametrize("address", ["", *(row.name for row in sitemap.PAGES)])
def test_first_visitor_of_a_cold_server_gets_the_page_they_asked_for(cold_server: str, page: Any, address: str) -> None:
    row = sitemap.entry(address or sitemap.HOME.name)
    messages = _watch(page)
    page.goto(f"{cold_server}/{address}")
    page.wait_for_selector("h1")
    page.wait_for_function("title => document.title.startsWith(title)", arg=row.title)

    assert page.locator('[data-testid="stSidebarNavLink"][aria-current="page"]').count() == 1
    menus = page.evaluate("window.menus")
    assert menus, "the menu was never seen"
    assert all(menu == menus[-1] for menu in menus), "another menu was shown first"
    assert [title for title in TITLES if title in menus[-1]] == TITLES
    assert "not found" not in " ".join([*page.evaluate("window.dialogs"), *messages]).lower()


def test_second_server_on_a_store_is_refused_as_long_as_the_first_runs(tmp_path: Path, new_page: Any) -> None:
    refusal = "text=another server is using the store"
    with serving(ROOT / "app.py", tmp_path) as first, serving(ROOT / "app.py", tmp_path) as second:
        for address, refused in ((first, 0), (second, 1), (first, 0)):
            page = new_page()
            page.goto(address)
            page.wait_for_selector(refusal if refused else DRAWN)
            assert page.locator(refusal).count() == refused
    with serving(ROOT / "app.py", tmp_path) as third:
        page = new_page()
        page.goto(third)
        page.wait_for_selector(DRAWN)


def test_name_of_the_home_page_leads_to_the_root(server: str, page: Any) -> None:
    page.goto(f"{server}/{sitemap.HOME.name}?present=1")
    page.wait_for_selector("h1")

    assert page.url == f"{server}/?present=1"


def test_the_address_chooses_light_or_dark_on_every_page(server: str, new_page: Callable[..., Any]) -> None:
    page = new_page(color_scheme="light")
    page.goto(f"{server}/toys?theme=dark")
    dark = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === 'dark'"
    page.wait_for_function(dark, timeout=30_000)
    page.get_by_role("heading", level=1).wait_for()
    page.goto(f"{server}/lesson")
    page.get_by_role("heading", level=1).wait_for()
    assert page.evaluate(dark)


@pytest.mark.threat("Visitors are observed")
def test_nothing_is_asked_of_other_servers(server: str, page: Any) -> None:
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server}/responses")
    page.wait_for_selector("h1")
    page.wait_for_timeout(500)

    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []


def test_plotly_js_is_compressed_and_kept(server: str, page: Any) -> None:
    first = page.request.get(server + plotly_url())
    again = page.request.get(server + plotly_url(), headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["content-encoding"] == "gzip"
    assert "immutable" in first.headers["cache-control"]
    assert again.status == 304


def test_live_plot_is_mounted_once_and_keeps_zoom_and_legend(live_server: str, page: Any) -> None:
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(live_server)
    page.wait_for_selector(DRAWN)
    page.evaluate(f"document.querySelector('{DRAWN} .main-svg').dataset.mark = 'mine'")
    _zoom(page)
    page.locator(".legend .traces").first.click()  # hides the first trace after the double-click delay
    page.wait_for_function(f"{_PLOT}._fullData[0].visible === 'legendonly'")
    zoomed, before = page.evaluate(f"{_PLOT}._fullLayout.xaxis.range"), _count(page, "Updates")
    page.wait_for_function(f"window.__residualUpdates.curves >= {before + 5}")

    assert _count(page, "Mounts") == 1
    assert page.locator('.main-svg[data-mark="mine"]').count() == 1
    assert page.evaluate(f"{_PLOT}._fullLayout.xaxis.range") == zoomed
    assert page.evaluate(f"{_PLOT}._fullData[0].visible") == "legendonly"
    assert errors == []


@pytest.mark.parametrize("form", ["PNG", "SVG"])
def test_live_plot_can_be_downloaded(live_server: str, page: Any, form: str) -> None:
    page.goto(live_server)
    page.wait_for_selector(DRAWN)
    with page.expect_download() as download:
        page.locator(f'.modebar-btn[data-title="Download as {form}"]').dispatch_event("click")

    assert download.value.suggested_filename == f"curves.{form.lower()}"
    assert download.value.path().stat().st_size > 5000


def test_live_plot_can_be_downloaded_as_a_table(live_server: str, page: Any) -> None:
    page.goto(live_server)
    page.get_by_text("points 60").wait_for(timeout=60_000)
    heads, rows = _table(page, "curves")

    assert heads == ["series", "steps", "error"]
    assert len(rows) == 8 * 60
    base = {"plain-8": 0.2, "plain-32": 0.45, "resnet-8": 0.15, "resnet-32": 0.08}  # as apps/live.py draws them
    for series, steps, error in rows:
        name, split = series.split()
        least = base[name] + (0.04 if split == "test" else 0)
        assert float(error) == pytest.approx(least + (0.9 - least) / (1 + float(steps) / 300), abs=1e-12)
    assert {steps for _, steps, _ in rows} == {str(100 * index) for index in range(60)}


def test_table_of_a_surface_has_the_losses_that_were_measured_not_their_logarithms(server: str, page: Any) -> None:
    page.goto(f"{server}/surface")
    page.wait_for_selector(DRAWN)
    heads, rows = _table(page, "surface-above")
    said = page.locator(".rx-finding").inner_text()

    assert heads[0] == "panel"
    told = re.findall(r"loss ([\d.]+) at the trained weights, up to ([\d,]+)", said)
    for panel, (middle, most) in zip(("plain-56", "resnet-56"), told, strict=True):
        losses = {tuple(row[-3:-1]): float(row[-1]) for row in rows if row[0].startswith(panel) and row[-1]}
        assert len(losses) == 49 * 49
        assert losses["0", "0"] == pytest.approx(float(middle), rel=0.05)
        assert max(losses.values()) == pytest.approx(float(most.replace(",", "")), rel=0.001)


def test_what_a_spreadsheet_would_compute_is_text_in_a_table(server: str, page: Any) -> None:
    page.goto(server)
    page.wait_for_selector(DRAWN)
    page.evaluate(f"""() => window.Plotly.restyle({_PLOT}, {{name: '=1+1, "two"'}}, [1])""")
    _, rows = _table(page, "race-curves")

    assert '\'=1+1, "two"' in {row[1] for row in rows}


def test_live_plot_says_what_it_shows(live_server: str, page: Any) -> None:
    page.goto(live_server)
    page.wait_for_selector(DRAWN)

    assert page.get_by_role("img", name="Errors of four networks over steps").bounding_box()["height"] == 380


def test_live_plot_follows_the_theme_and_the_width(live_server: str, page: Any) -> None:
    page.goto(live_server)
    page.wait_for_selector(DRAWN)
    light = page.evaluate(f"{_PLOT}._fullLayout.font.color")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{_PLOT}._fullLayout.font.color !== '{light}'")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(f"{_PLOT}._fullLayout.width < 390")

    assert _count(page, "Mounts") == 1


def test_a_page_made_narrow_before_its_chart_was_drawn_gets_the_narrow_chart(server: str, page: Any) -> None:
    held: list[Any] = []
    page.route(f"**{plotly_url()}", lambda route: held.append(route))
    page.goto(server)
    page.locator(".residual-plot-picture[aria-label]").wait_for(state="attached")
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(500)
    held[0].continue_()
    page.wait_for_selector(DRAWN)

    assert page.evaluate(f"{_PLOT}._fullLayout.xaxis.domain") == [0, 1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_follows_the_system_theme(server: str, new_page: Callable[..., Any], scheme: str) -> None:
    page = new_page(color_scheme=scheme)
    page.goto(server)
    page.wait_for_selector("h1")
    colour = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    brightness = sum(int(channel) for channel in re.findall(r"\d+", colour)[:3]) / 765

    assert (brightness > 0.5) == (scheme == "light")


def test_narrow_page_does_not_scroll_sideways(live_server: str, new_page: Callable[..., Any]) -> None:
    page = new_page(width=390, height=844)
    page.goto(live_server)
    page.wait_for_selector(DRAWN)

    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def _table(page: Any, key: str) -> tuple[list[str], list[list[str]]]:
    """What the chart called `key` is downloaded as: the heads and the rows of its table."""
    with page.expect_download() as download:
        page.locator('.modebar-btn[data-title="Download as CSV"]').first.dispatch_event("click")
    assert download.value.suggested_filename == f"{key}.csv"
    heads, *rows = csv.reader(download.value.path().read_text(encoding="utf-8-sig").splitlines())
    return heads, rows


_PLOT = f"document.querySelector('{DRAWN} .js-plotly-plot')"

# Notes every menu and every dialog that was on the screen at any moment, however briefly.
_OBSERVER = """
window.menus = []; window.dialogs = [];
new MutationObserver(() => {
  const links = [...document.querySelectorAll('[data-testid="stSidebarNavLink"]')];
  const menu = links.map((link) => link.innerText).join('\\n');
  if (links.length && menu !== window.menus.at(-1)) window.menus.push(menu);
  for (const dialog of document.querySelectorAll('[role="dialog"], [role="alert"], [data-testid="stToast"]'))
    window.dialogs.push(dialog.innerText);
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


def _watch(page: Any) -> list[str]:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text if "404" not in message.text else ""))
    page.on("dialog", lambda dialog: messages.append(dialog.message))
    page.add_init_script(_OBSERVER)
    return messages


def _zoom(page: Any) -> None:
    box = page.locator(f"{DRAWN} .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.7, steps=4)
    page.wait_for_timeout(700)  # the figure changes under the drag
    page.mouse.up()
    page.wait_for_function(f"{_PLOT}._fullLayout.xaxis.autorange === false")


def _count(page: Any, what: str) -> int:
    return int(page.evaluate(f"window.__residual{what}.curves"))


def test_presenter_mode_on_a_phone_draws_for_a_phone(server: str, new_page: Callable[..., Any]) -> None:
    page = new_page(width=390, height=844)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if "axis scaling" in message.text else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{server}/?present=1")
    page.wait_for_selector(DRAWN)
    high, large = 640, 24  # pixels: one panel below the other, and type for the back row
    assert page.evaluate(f"{_PLOT}.clientHeight") == high
    assert page.evaluate(f"{_PLOT}._fullLayout.font.size") < large

    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_function(f"{_PLOT}._fullLayout.font.size >= {large}")
    assert page.evaluate(f"{_PLOT}.clientHeight") < high
    assert wrong == []
