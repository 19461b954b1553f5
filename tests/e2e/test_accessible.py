"""What axe finds on every page, in light and in dark: nothing, Streamlit's own menu and header left out."""

from typing import Any

import pytest

from explorer.ui import sitemap
from tests.e2e.conftest import settle

# Streamlit's own: its menu puts li into div; what is about to be drawn anew is faded
_SHELL = ['[data-testid="stSidebarNav"]', '[data-testid="stHeader"]', '[data-stale="true"]']
_FOUND = """async (shell) => {
  const found = await axe.run({ exclude: shell }, { resultTypes: ["violations"] })
  const told = (one, node) => `${one.id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`
  return found.violations.flatMap((one) => one.nodes.map((node) => told(one, node)))
}"""


@pytest.mark.parametrize("name", [row.name for row in sitemap.PAGES])
def test_axe_finds_nothing(page: Any, server: str, axe: str, name: str) -> None:
    page.goto(f"{server}/{name}")
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settle(page)
    page.evaluate(axe)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(400)  # colours fade
        assert page.evaluate(_FOUND, _SHELL) == [], scheme
