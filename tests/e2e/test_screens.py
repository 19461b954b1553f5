"""Every page in both languages, light and dark, on a phone, a laptop and a projector: pictures, and what must hold.

The pictures, for people to look at, go where the fixture `screens` says.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from explorer.language import LANGUAGES
from explorer.ui import sitemap
from tests.e2e.conftest import settle

WIDTHS = (390, 1280, 1920)
LOW, HIGH = 844, 6000  # pixels of a picture's height, at least and at most
# In the Korean pages: a heading, a button or a label that is still an English phrase
_ENGLISH = re.compile(r"\b[A-Za-z]{2,}(?: [a-z]{2,}){2,}")
_WRONG = """() => {
  const main = document.querySelector("[data-testid=stMain]"), wrong = []
  const say = (what, element) => wrong.push(`${what}: ${(element.textContent || element.outerHTML).slice(0, 80)}`)
  for (const one of [document.documentElement, main])
    if (one.scrollWidth > one.clientWidth) wrong.push(`scrolls sideways, ${one.scrollWidth} > ${one.clientWidth}`)
  for (const one of document.querySelectorAll("[data-testid=stException], .residual-plot-failed")) say("failed", one)
  for (const one of main.querySelectorAll("[data-testid=stSkeleton]")) say("still a skeleton", one)
  if (main.querySelectorAll("h1").length !== 1) wrong.push("not one h1")
  for (const plot of main.querySelectorAll(".residual-plot")) {
    const frame = plot.getBoundingClientRect()
    if (!frame.width || !frame.height) continue // on a tab that is not open
    if (!plot.querySelector(".trace, .gl-container canvas, .hm, .contour")) say("a chart without a line", plot)
    for (const text of plot.querySelectorAll("svg text")) {
      const box = text.getBoundingClientRect()
      const aside = Math.max(frame.left - box.left, box.right - frame.right)
      const out = Math.max(aside, frame.top - box.top, box.bottom - frame.bottom)
      if (box.width && out > 3) say(`cut off by ${Math.round(out)} px`, text)
    }
  }
  return wrong
}"""
_HEADS = """() => [...document.querySelectorAll("h1, h2, h3, button, [data-testid=stMain] label")]
  .map((one) => one.innerText.trim()).filter(Boolean)"""
_HEIGHT = "document.querySelector('[data-testid=stMain]').scrollHeight"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [row.name for row in sitemap.PAGES])
def test_every_page_holds_at_every_width_in_light_and_dark(
    page: Any, server: str, screens: Path, name: str, language: str
) -> None:
    page.goto(f"{server}/{name}?lang={language}")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    assert _wrong(page, screens, name, language) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["architecture", "gradients", "toys", "questions", "related_work"])
def test_every_tab_of_a_page_holds_too(page: Any, server: str, screens: Path, name: str, language: str) -> None:
    page.goto(f"{server}/{name}?lang={language}")
    page.get_by_role("tab").first.wait_for(timeout=60_000)
    settle(page)
    found = []
    for number in range(1, page.get_by_role("tab").count()):
        tab = page.get_by_role("tab").nth(number)
        tab.click()
        settle(page)
        assert tab.get_attribute("aria-selected") == "true"
        found += [f"tab {number}, {what}" for what in _wrong(page, screens, f"{name}-tab-{number}", language)]
    assert found == []


def _wrong(page: Any, screens: Path, name: str, language: str) -> list[str]:
    """What is wrong with the open page at each width in light and dark; its pictures are kept."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": LOW})
        settle(page)
        page.set_viewport_size({"width": width, "height": min(HIGH, max(LOW, page.evaluate(_HEIGHT)))})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settle(page)
            page.screenshot(path=screens / f"{name}-{language}-{scheme}-{width}.png")
            found += [f"{width} {scheme}: {what}" for what in page.evaluate(_WRONG)]
    if language != "en":
        found += [f"in English: {head}" for head in page.evaluate(_HEADS) if _ENGLISH.search(head)]
    return found


def test_what_is_wrong_with_a_page_would_be_noticed(page: Any, server: str) -> None:
    page.goto(f"{server}/toys?lang=ko")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)
    page.evaluate("""() => {
      const main = document.querySelector("[data-testid=stMainBlockContainer]")
      main.insertAdjacentHTML("beforeend", "<h1>One heading too many here</h1><div style='width: 3000px'>wide</div>")
      main.insertAdjacentHTML("beforeend", "<div data-testid='stException'></div><div data-testid='stSkeleton'></div>")
      const [first, second] = document.querySelectorAll(".residual-plot")
      first.querySelector("svg text").style.transform = "translateX(2000px)"
      for (const trace of second.querySelectorAll(".trace")) trace.remove()
    }""")
    found = " ".join(page.evaluate(_WRONG))
    for what in ("sideways", "failed", "skeleton", "not one h1", "cut off", "without a line"):
        assert what in found
    assert [head for head in page.evaluate(_HEADS) if _ENGLISH.search(head)] == ["One heading too many here"]
