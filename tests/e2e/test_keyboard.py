"""The keyboard alone: every control of the first page is reached and works; shortcuts, and the overview of them."""

from typing import Any

import pytest

from explorer.ui import sitemap
from tests.e2e.conftest import settle, tab_to

# Notes what the focus came to. Controls are what a reader can press or turn; of a group of choices one is enough.
_NOTE = "addEventListener('focusin', (event) => { event.target.dataset.reached = 'yes' })"
_MISSED = """() => {
  const controls = "a[href], button, input, select, textarea, summary, [role=slider], [role=combobox]"
  const groups = "[role=radiogroup], [role=group], [data-testid=stSelectbox], [data-testid=stMultiSelect]"
  const group = (one) => one.closest(groups) ?? one
  const seen = (one) => one.dataset.reached || group(one).querySelector("[data-reached]")
  const shown = (one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.disabled
  const own = "[data-testid=stMain] :not(.modebar-btn), [data-testid=stSidebarContent] *"
  return [...document.querySelectorAll(controls)].filter((one) => one.matches(own) && shown(one) && !seen(one))
    .map((one) => one.outerHTML.slice(0, 200))
}"""
OVERVIEW = "dialog[open]"


def _open(page: Any, address: str) -> None:
    page.add_init_script(_NOTE)
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)


def test_tab_reaches_every_control_of_the_first_page(page: Any, server: str) -> None:
    _open(page, server)
    for _ in range(80):
        page.keyboard.press("Tab")
    assert page.evaluate(_MISSED) == []
    page.evaluate("document.querySelector('h1').innerHTML += '<button tabindex=-1>lost</button>'")
    assert len(page.evaluate(_MISSED)) == 1, "the walk would not notice a control that it cannot reach"


def test_a_page_is_opened_and_a_race_run_and_stopped_without_a_mouse(page: Any, cold_server: str) -> None:
    _open(page, f"{cold_server}/toys")
    tab_to(page, "[data-testid=stSidebarNavLink]")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="as easy as stacking more layers").wait_for(timeout=60_000)
    settle(page)
    tab_to(page, ".st-key-race-start button")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").wait_for(timeout=60_000)
    page.keyboard.press("s")
    page.locator(".st-key-race-start button").wait_for(timeout=60_000)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_overview_opens_keeps_the_focus_inside_and_gives_it_back(page: Any, server: str, language: str) -> None:
    _open(page, f"{server}/toys?lang={language}")
    tab_to(page, "[data-testid=stMain] button")
    page.evaluate("() => { window.had = document.activeElement }")
    page.keyboard.press("?")
    name = {"en": "Keyboard shortcuts", "ko": "키보드 단축키"}[language]
    page.get_by_role("dialog", name=name).wait_for()
    for _ in range(4):
        assert page.evaluate("!document.activeElement.closest('[data-testid=stApp]')"), "the focus left the overview"
        page.keyboard.press("Tab")
    listed = page.locator(OVERVIEW).inner_text()
    menu = page.locator("[data-testid=stSidebarNavLink]").all_inner_texts()
    assert [title for title in menu if title.split("\n")[-1] not in listed] == []
    page.keyboard.press("Escape")
    page.locator(OVERVIEW).wait_for(state="detached")
    assert page.evaluate("document.activeElement === window.had")


def test_the_overview_is_found_by_mouse_and_axe_has_nothing_against_it(page: Any, server: str, axe: str) -> None:
    _open(page, server)
    page.get_by_role("button", name="Keyboard").click()
    page.locator(OVERVIEW).wait_for()
    page.evaluate(axe)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        settle(page)
        found = page.evaluate(
            "async () => (await axe.run('dialog')).violations.map((one) => [one.id, one.nodes[0].html])"
        )
        assert found == [], scheme
    page.get_by_role("button", name="Close").click()
    page.locator(OVERVIEW).wait_for(state="detached")


def test_g_and_a_letter_lead_to_every_page(page: Any, server: str) -> None:
    assert len({row.key for row in sitemap.PAGES} - set("bc")) == len(sitemap.PAGES), "b and c are presenter mode's"
    _open(page, server)
    for row in (*sitemap.PAGES[1:], sitemap.HOME):
        page.keyboard.press("g")
        page.keyboard.press(row.key)
        page.wait_for_function("title => document.title.startsWith(title)", arg=row.title)


def test_keys_on_a_korean_keyboard_and_in_a_text(page: Any, server: str) -> None:
    _open(page, f"{server}/notes")
    field = page.get_by_role("textbox", name="My remarks")
    field.click()
    page.keyboard.type("good? gt")
    assert page.locator(OVERVIEW).count() == 0
    assert field.input_value() == "good? gt"
    page.locator("h1").click()
    press = "code => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ㅎ', code, bubbles: true }))"
    page.evaluate(press, "KeyG")
    page.evaluate(press, "KeyT")
    page.wait_for_url("**/toys*")


def test_escape_closes_the_overview_before_it_leaves_presenter_mode(page: Any, server: str) -> None:
    _open(page, f"{server}/lesson?present=1")
    page.keyboard.press("?")
    page.locator(OVERVIEW).wait_for()
    page.keyboard.press("PageDown")
    page.keyboard.press("Escape")
    page.locator(OVERVIEW).wait_for(state="detached")
    assert page.get_by_text("1 /").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('present')")


def test_escape_leaves_presenter_mode_from_a_button_but_closes_what_is_unfolded_first(page: Any, server: str) -> None:
    _open(page, f"{server}/architecture?present=1")
    page.get_by_role("button", name="Export as PyTorch code").click()
    unfolded = page.locator("[data-testid=stPopoverBody]")
    unfolded.wait_for()
    page.keyboard.press("Escape")
    unfolded.wait_for(state="detached")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    settle(page)
    assert "present=1" in page.url
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('present')")
