"""Every control says in a tooltip what it changes, with its terms, units and ranges."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui import sitemap
from tests.ui.visits import visit

CONTROLS = (
    "button_group", "slider", "select_slider", "selectbox", "multiselect", "toggle", "checkbox",
    "number_input", "text_input", "text_area", "file_uploader",
)  # fmt: skip
CLEAR = {"lang", "notes-remarks"}
"""Keys of controls whose label says all."""
VIEWS = [
    *((row.name, "") for row in sitemap.PAGES),
    ("architecture", "table-1"), ("gradients", "over"), ("gradients", "paths"), ("toys", "shattered"),
    ("toys", "signal"), ("questions", "train_images"), ("questions", "own"), ("related_work", "encodings"),
    ("related_work", "highway"), ("related_work", "inception"),
]  # fmt: skip


def unexplained(app: AppTest) -> list[str]:
    """Labels of the controls without a tooltip; a page number needs none."""
    found = [control for kind in CONTROLS for control in app.get(kind)]
    assert found
    return [
        control.proto.label
        for control in found
        if not control.proto.help and control.key not in CLEAR and not str(control.key).endswith("-page")
    ]


@pytest.mark.parametrize(("name", "view"), VIEWS)
def test_every_control_says_what_it_changes(name: str, view: str) -> None:
    app = visit(name, view=view) if view else visit(name)
    assert not app.exception
    assert not view or app.query_params["view"] in (view, [view])
    assert unexplained(app) == []
