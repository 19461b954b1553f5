"""The lesson in a browser, in both languages, by keyboard alone; and on a projector, where all must be legible."""

from typing import Any

import pytest

from explorer.language import LANGUAGES
from explorer.ui.lesson import SHOW, STEPS, text
from tests.e2e.conftest import settle, tab_to

SCREENS = [(step.name, what) for step in STEPS for what in step.screens]
_SMALL = """() => {
  const shown = (e) => {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e)
    return box.width > 1 && box.height > 1 && style.visibility !== "hidden" && style.opacity !== "0"
  }
  const size = (e) => {
    const matrix = e.closest("svg") && e.getScreenCTM ? e.getScreenCTM() : { a: 1, b: 0 }
    return parseFloat(getComputedStyle(e).fontSize) * Math.hypot(matrix.a, matrix.b)
  }
  const words = document.createTreeWalker(document.querySelector("[data-testid=stMain]"), NodeFilter.SHOW_TEXT)
  const small = []
  while (words.nextNode()) {
    const element = words.currentNode.parentElement
    if (!words.currentNode.textContent.trim() || element.closest("style, script") || !shown(element)) continue
    if (size(element) < 23.9) small.push(`${words.currentNode.textContent.trim()}: ${size(element)}`)
  }
  return small
}"""
_SCROLLS = """() => {
  const main = document.querySelector("[data-testid=stMain]")
  return main.scrollHeight > main.clientHeight || main.scrollWidth > main.clientWidth
}"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_clicker_leads_through_every_screen_and_each_can_be_read_from_the_back_row(
    page: Any, server: str, language: str
) -> None:
    page.goto(f"{server}/lesson?present=1&lang={language}")
    for at, (name, what) in enumerate(SCREENS, 1):
        page.get_by_text(f"{at} / {len(SCREENS)}", exact=True).wait_for(timeout=30_000)
        page.get_by_role("heading", name=text(name, language)[0], exact=True).wait_for()
        settle(page)
        where = f"{name}, {what}, {language}"
        assert page.evaluate(_SMALL) == [], where
        assert not page.evaluate(_SCROLLS), where
        assert page.locator("[data-testid=stException]").count() == 0, where
        page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    page.get_by_text(f"{len(SCREENS) - 1} / {len(SCREENS)}", exact=True).wait_for()


def test_b_blanks_c_hides_the_controls_and_escape_leaves_at_the_same_step(page: Any, server: str) -> None:
    page.goto(f"{server}/lesson?present=1&step=gradients&screen={SHOW}")
    layers = page.get_by_role("slider", name="Layers")
    layers.wait_for(timeout=30_000)
    settle(page)
    page.keyboard.press("b")
    page.locator(".rx-black").wait_for()
    page.keyboard.press("PageDown")
    page.locator(".rx-black").wait_for(state="detached")
    assert layers.is_visible(), "a key on the black screen brings the picture back and does nothing else"
    page.keyboard.press("c")
    layers.wait_for(state="hidden")
    page.wait_for_url("**controls=0*")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Layer responses").first.wait_for()
    page.get_by_role("heading", name=text("gradients", "en")[0]).wait_for()
    assert "present" not in page.url
    assert "step=gradients" in page.url


def test_an_address_opens_the_same_screen_in_another_browser(new_page: Any, server: str) -> None:
    first, second = new_page(), new_page(width=390, locale="ko-KR")
    first.goto(f"{server}/lesson?present=1&lang=ko")
    first.get_by_text(f"1 / {len(SCREENS)}", exact=True).wait_for(timeout=30_000)
    for at in (2, 3):
        settle(first)
        first.keyboard.press("ArrowRight")
        first.get_by_text(f"{at} / {len(SCREENS)}", exact=True).wait_for()
    second.goto(first.url)
    second.get_by_text(f"3 / {len(SCREENS)}", exact=True).wait_for(timeout=30_000)
    second.get_by_role("heading", name=text(SCREENS[2][0], "ko")[0]).wait_for()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lesson_is_walked_and_answered_by_keyboard_alone(page: Any, server: str, language: str) -> None:
    page.goto(f"{server}/lesson?lang={language}")
    for step in STEPS:
        page.get_by_role("heading", name=text(step.name, language)[0], exact=True).wait_for(timeout=30_000)
        settle(page)
        if step.question:
            tab_to(page, "input[type=radio]")
            page.keyboard.press("Space")
            page.get_by_test_id("stAlert").or_(page.get_by_text("Nothing has been measured yet")).first.wait_for()
            settle(page)
            if step is not STEPS[-1]:
                tab_to(page, ".st-key-lesson-next button")
                page.keyboard.press("Enter")
        else:
            page.keyboard.press("ArrowRight")
    assert page.locator("[data-testid=stException]").count() == 0
