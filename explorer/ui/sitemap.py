"""Every page of the app, a row each: the menu, the addresses and the links between pages read this table."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from explorer.language import later, told

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
    key: str
    """The letter that leads to it after g; b and c are presenter mode's."""

    @property
    def path(self) -> Path:
        """The page's script. Absolute, since Streamlit reads relative ones from the router's folder."""
        return FOLDER / self.section.lower().removeprefix("the ") / f"{self.name}.py"


PAPER, INSIDE, STUDY, WORKSHOP = later("The paper"), later("Inside"), later("Study"), later("Workshop")
PAGES = (
    Entry(
        "degradation",
        PAPER,
        later("Degradation"),
        ":material/trending_down:",
        later("Deeper plain networks train worse."),
        "d",
    ),
    Entry(
        "architecture",
        PAPER,
        later("Architecture"),
        ":material/account_tree:",
        later("Every network of the paper, drawn and counted."),
        "a",
    ),
    Entry(
        "depth",
        PAPER,
        later("Depth and error"),
        ":material/stacked_line_chart:",
        later("Table 6 and Figure 6, beside what was measured."),
        "e",
    ),
    Entry(
        "responses",
        PAPER,
        later("Layer responses"),
        ":material/bar_chart:",
        later("How strongly each layer responds."),
        "r",
    ),
    Entry(
        "attributions",
        PAPER,
        later("Attributions"),
        ":material/center_focus_weak:",
        later("Which pixels counted."),
        "i",
    ),
    Entry(
        "gradients",
        INSIDE,
        later("Gradients"),
        ":material/ssid_chart:",
        later("With BN they do not vanish."),
        "g",
    ),
    Entry(
        "surface",
        INSIDE,
        later("Loss surface"),
        ":material/terrain:",
        later("The loss around the trained weights."),
        "s",
    ),
    Entry(
        "lesions",
        INSIDE,
        later("Lesions"),
        ":material/content_cut:",
        later("What is lost without a block."),
        "k",
    ),
    Entry(
        "toys",
        INSIDE,
        later("Toys"),
        ":material/toys:",
        later("Why it helps, in small networks that answer at once."),
        "t",
    ),
    Entry(
        "lesson",
        STUDY,
        later("Lesson"),
        ":material/school:",
        later("The paper, step by step."),
        "l",
    ),
    Entry(
        "questions",
        STUDY,
        later("Questions"),
        ":material/quiz:",
        later("What readers asked, as experiments."),
        "q",
    ),
    Entry(
        "related_work",
        STUDY,
        later("Related work"),
        ":material/hub:",
        later("Residuals and shortcuts before the paper."),
        "w",
    ),
    Entry(
        "notes",
        STUDY,
        later("Notes"),
        ":material/bookmark:",
        later("What you kept, to take home."),
        "n",
    ),
    Entry(
        "runs",
        WORKSHOP,
        later("Runs"),
        ":material/list_alt:",
        later("Every trained network, compared."),
        "u",
    ),
    Entry(
        "room",
        WORKSHOP,
        later("Room"),
        ":material/groups:",
        later("A class together: polls and a shared experiment."),
        "m",
    ),
)
HOME = PAGES[0]


def entry(name: str) -> Entry:
    """The row of the page called `name`."""
    return next(row for row in PAGES if row.name == name)


def link(name: str, label: str | None = None) -> None:
    """Draw a link to the page called `name`."""
    row = entry(name)
    st.page_link(str(row.path), label=label or told(row.title), icon=row.icon)


def sections() -> dict[str, list[st.Page]]:
    """The menu for `st.navigation`."""
    menu: dict[str, list[st.Page]] = {}
    for row in PAGES:
        page = st.Page(
            row.path,
            title=told(row.title),
            icon=row.icon,
            url_path=row.name,
            default=row is HOME,
            help=told(row.summary),
        )
        menu.setdefault(told(row.section), []).append(page)
    return menu
