"""Values said to the browser, when one run follows closely on another."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui import address


def _page() -> None:
    import streamlit as st

    from explorer.ui import address

    with address.kept("share", 100):
        st.slider("Share", 0, 100, key="share")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds, in a list of one."""
    now = [0.0]
    monkeypatch.setattr(address, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(("seconds", "crossed"), [(0.2, True), (5.0, False)])
def test_a_change_that_crossed_the_old_value_is_said_to_the_browser(
    clock: list[float], seconds: float, crossed: bool
) -> None:
    app = AppTest.from_function(_page)
    app.query_params["share"] = "95"
    app.run()
    assert app.slider(key="share").proto.set_value
    assert app.slider(key="share").proto.value == [95]
    clock[0] += seconds
    app.slider(key="share").set_value(90).run()
    assert app.slider(key="share").value == 90
    assert app.slider(key="share").proto.set_value == crossed
    if crossed:
        assert app.slider(key="share").proto.value == [90]
    assert app.query_params["share"] == "90"


def test_steps_of_one_slider_in_haste_are_not_set_back(clock: list[float]) -> None:
    app = AppTest.from_function(_page).run()
    clock[0] += 5
    for value in (95, 90, 85):
        clock[0] += 0.1
        app.slider(key="share").set_value(value).run()
        assert not app.slider(key="share").proto.set_value
        assert app.slider(key="share").value == value
