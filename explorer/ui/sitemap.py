"""Every page of the app, a row each: the menu, the addresses and the links between pages read this table."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """One page as the menu and the address bar know it."""

    name: str
    """Its address; the page at the root answers there and at `/name`."""
    section: str
    title: str
    icon: str
    summary: str
    """What the page shows, as the tooltip of its menu item."""

    @property
    def path(self) -> Path:
        """The page's script. Absolute, since Streamlit reads relative ones from the router's folder."""
        return FOLDER / self.section.lower().removeprefix("the ") / f"{self.name}.py"


PAGES = (
    Entry(
        "degradation",
        "The paper",
        "Degradation",
        ":material/trending_down:",
        "Deeper plain networks train worse.",
    ),
    Entry(
        "architecture",
        "The paper",
        "Architecture",
        ":material/account_tree:",
        "Every network of the paper, drawn and counted.",
    ),
    Entry(
        "depth",
        "The paper",
        "Depth and error",
        ":material/stacked_line_chart:",
        "Table 6 and Figure 6, beside what was measured.",
    ),
    Entry(
        "responses",
        "The paper",
        "Layer responses",
        ":material/bar_chart:",
        "How strongly each layer responds.",
    ),
    Entry("attributions", "The paper", "Attributions", ":material/center_focus_weak:", "Which pixels counted."),
    Entry("gradients", "Inside", "Gradients", ":material/ssid_chart:", "With BN they do not vanish."),
    Entry("surface", "Inside", "Loss surface", ":material/terrain:", "The loss around the trained weights."),
    Entry("lesions", "Inside", "Lesions", ":material/content_cut:", "What is lost without a block."),
    Entry("toys", "Inside", "Toys", ":material/toys:", "Why it helps, in small networks that answer at once."),
    Entry("runs", "Workshop", "Runs", ":material/list_alt:", "Every trained network, compared."),
)
HOME = PAGES[0]


def entry(name: str) -> Entry:
    """The row of the page called `name`."""
    return next(row for row in PAGES if row.name == name)


def link(name: str, label: str | None = None) -> None:
    """Draw a link to the page called `name`."""
    row = entry(name)
    st.page_link(str(row.path), label=label or row.title, icon=row.icon)


def sections() -> dict[str, list[st.Page]]:
    """The menu for `st.navigation`."""
    menu: dict[str, list[st.Page]] = {}
    for row in PAGES:
        page = st.Page(
            row.path, title=row.title, icon=row.icon, url_path=row.name, default=row is HOME, help=row.summary
        )
        menu.setdefault(row.section, []).append(page)
    return menu
