"""A link copied in one browser opens the same view in another."""

from collections.abc import Callable
from typing import Any

_IDLE = "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


def test_a_copied_link_opens_the_same_view(server: str, new_page: Callable[..., Any]) -> None:
    first = new_page()
    first.goto(f"{server}/gradients?view=over")
    first.get_by_text("Relative to the weights").first.click(timeout=60_000)
    first.wait_for_url("**gradients-relative=True*", timeout=30_000)
    first.wait_for_function(_IDLE)
    first.get_by_role("slider", name="Training done").press("ArrowLeft")
    first.wait_for_url("**gradients-share=*", timeout=30_000)
    first.wait_for_function(_IDLE)
    first.get_by_role("combobox", name="Networks").press("Backspace")  # the last of the networks chosen
    first.wait_for_url("**gradients-runs=*", timeout=30_000)
    first.wait_for_function(_IDLE)
    chosen = first.locator("[data-testid=stMultiSelect]").first.inner_text()

    second = new_page(width=390)
    second.goto(first.url)
    second.locator(".residual-plot.is-drawn").first.wait_for(timeout=60_000)
    assert second.locator("[data-testid=stMultiSelect]").first.inner_text() == chosen
    assert second.get_by_role("slider", name="Training done").get_attribute("aria-valuenow") in ("90", None)
    assert "90%" in second.locator("[data-testid=stSlider]").first.inner_text()
    assert second.get_by_role("switch").or_(second.get_by_role("checkbox")).first.is_checked()


def test_each_tab_opens_at_the_first_press_and_is_in_the_address(server: str, page: Any) -> None:
    page.goto(f"{server}/related_work?view=highway")
    tabs = page.get_by_role("tab")
    tabs.first.wait_for(timeout=60_000)
    opened = page.locator("[role=tab][aria-selected=true]")
    opened.filter(has_text="Highway gates").wait_for()
    for number, view in ((3, "inception"), (1, "encodings"), (0, None), (2, "highway")):
        tabs.nth(number).click()
        page.wait_for_url(f"**/related_work?view={view}" if view else "**/related_work", timeout=30_000)
        page.wait_for_function(_IDLE)
        opened.filter(has_text=tabs.nth(number).inner_text()).wait_for()
