"""Keeping a figure, remarking on it, and taking it home as a page that works without the server."""

from pathlib import Path
from typing import Any

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
