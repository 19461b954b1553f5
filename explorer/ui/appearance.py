"""Light or dark as the address asks (`theme=dark`), for a projector or a link; else as the reader's system has it.

Streamlit keeps what was chosen in the browser, by path, and reads it when a page is loaded; it has no other way in.
"""

import streamlit as st

from explorer.ui import component, sitemap

_THEMES = {"light": "Light", "dark": "Dark"}
_KEEP = """
export default function ({ data: [data] }) {
  const base = location.pathname.replace(/[^/]*$/, "")
  const keys = data.pages.map((page) => `stActiveTheme-${base}${page}-v2`)
  const wanted = JSON.stringify(data.theme)
  if (keys.every((key) => localStorage.getItem(key) === wanted)) return
  for (const key of keys) localStorage.setItem(key, wanted)
  if (getComputedStyle(document.querySelector("[data-testid=stApp]")).colorScheme !== data.theme.toLowerCase())
    location.reload()
}
"""
_component = st.components.v2.component("residual_appearance", js=_KEEP, html="<span></span>")


def follow() -> None:
    """Ask the browser for the theme that the address names."""
    theme = _THEMES.get(st.query_params.get("theme", ""))
    if theme:
        _component(
            key="appearance", data=component.sent({"theme": theme, "pages": ["", *(row.name for row in sitemap.PAGES)]})
        )
