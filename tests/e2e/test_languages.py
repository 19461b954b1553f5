"""Changing the language in a browser: everything said changes, what was chosen stays."""

from typing import Any


def test_the_switch_changes_what_is_said_and_keeps_what_was_chosen(page: Any, server: str) -> None:
    page.goto(f"{server}/?depths=14+%7C+44&lang=ko")
    page.get_by_role("heading", name="층을 더 쌓는 것만큼").wait_for()
    page.get_by_role("link", name="성능 저하").wait_for()
    page.get_by_text("English", exact=True).click()
    page.get_by_role("heading", name="as easy as stacking more layers").wait_for()
    page.get_by_role("link", name="Degradation").first.wait_for()
    assert page.get_by_role("combobox", name="Depths").input_value() == "14 | 44"
    assert page.locator("[data-testid=stException]").count() == 0
    page.get_by_role("link", name="Layer responses").first.click()
    page.get_by_role("heading", name="Do residual layers").wait_for()
    page.get_by_text("한국어", exact=True).click()
    page.get_by_role("link", name="성능 저하").wait_for()
    page.wait_for_url("**lang=ko*")
    assert page.locator("[data-testid=stException]").count() == 0
