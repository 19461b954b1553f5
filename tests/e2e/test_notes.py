"""Keeping a figure, remarking on it, and taking it home as a page that works without the server."""

from pathlib import Path
from typing import Any

from tests.e2e.conftest import settle

_IDLE = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


def test_a_figure_is_kept_remarked_on_and_taken_home(page: Any, server: str, tmp_path: Path) -> None:
    page.goto(f"{server}/gradients")
    page.locator(".residual-plot.is-drawn").first.wait_for(timeout=30_000)
    page.locator(".residual-plot").first.hover()
    page.locator("[data-title='Keep for my notes']").first.click()
    page.get_by_text("Kept: see the page Notes.").wait_for()
    page.get_by_role("link", name="Notes", exact=True).click()
    page.get_by_label("My remark", exact=True).fill("smaller, not smaller still")
    page.get_by_label("My remark", exact=True).press("Enter")
    page.wait_for_timeout(1000)
    page.wait_for_function(_IDLE)
    page.get_by_text("changes from the last layer back to the first").first.wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("Removed: Gradients").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Removed: Gradients").wait_for(state="detached")
    page.wait_for_function(_IDLE)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download as a page").click()
    taken = tmp_path / "notes.html"
    started.value.save_as(taken)
    home = page.context.new_page()
    home.context.set_offline(True)
    home.goto(taken.as_uri())
    home.locator(".figure .main-svg").first.wait_for()
    assert "changes from the last layer back to the first" in home.inner_text("body")
    assert "smaller, not smaller still" in home.inner_text("body")
    assert f"{server}/gradients" in home.inner_text("body")


def test_words_are_not_lost_to_a_page_opened_at_once(page: Any, server: str) -> None:
    field = _open(page, server)
    for words in ("x", "xx", "xxx"):
        field.click()
        page.keyboard.press("End")
        page.keyboard.type("x")
        page.evaluate("""() => {
          document.activeElement.blur()
          document.querySelector("[data-testid=stSidebarNavLink][href$=toys]").click()
        }""")
        page.wait_for_url("**/toys*")
        settle(page)
        assert "/toys" in page.url
        page.locator("[data-testid=stSidebarNavLink][href$=notes]").click()
        page.wait_for_url("**/notes*")
        settle(page)
        assert field.input_value() == words


def test_a_file_taken_right_after_typing_holds_the_last_words(page: Any, server: str) -> None:
    _open(page, server).click()
    page.keyboard.type("words just typed")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download as Markdown").click(delay=80)
    assert "words just typed" in Path(started.value.path()).read_text()


def _open(page: Any, server: str) -> Any:
    page.goto(f"{server}/notes")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)
    return page.get_by_role("textbox", name="My remarks")
