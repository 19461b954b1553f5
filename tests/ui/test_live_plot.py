"""The server's half of the live chart; its other half is tested in a browser (tests/e2e/test_shell.py)."""

import json

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from explorer.plots import theme
from tests.ui.visits import sent


def script() -> None:
    import plotly.graph_objects as go
    import streamlit as st

    from explorer.ui.live_plot import live_plot

    points = st.slider("points", 1, 9, 3)
    figure = go.Figure(go.Scatter(y=list(range(points)), name="plain-8"))
    live_plot(figure, key="curves", height=300, alt="a line")
    live_plot({"data": [{"y": [1, 2]}], "layout": {"title": {"text": "two"}}}, key="other", height=200, alt="b")


def test_figure_height_and_alt_reach_the_browser() -> None:
    app = AppTest.from_function(script).run(timeout=20)

    assert not app.exception
    first, second = sent(app)
    assert (first["key"], first["height"], first["alt"]) == ("curves", 300, "a line")
    assert json.loads(first["figure"])["data"][0]["y"] == [0, 1, 2]
    assert json.loads(second["figure"])["layout"]["title"]["text"] == "two"
    assert first["plotly"].endswith(".min.js")


def test_chart_keeps_its_identity_when_its_figure_changes() -> None:
    app = AppTest.from_function(script).run(timeout=20)
    before = [chart.proto.id for chart in app.main.get("bidi_component")]
    app.slider[0].set_value(7).run()

    assert json.loads(sent(app)[0]["figure"])["data"][0]["y"] == list(range(7))
    assert [chart.proto.id for chart in app.main.get("bidi_component")] == before


@pytest.mark.parametrize("figure", [go.Figure(layout=theme.layout("steps", "error")), {"data": []}, {}])
def test_sent_figure_carries_no_template(figure: theme.Figure) -> None:
    assert "template" not in json.loads(theme.to_json(figure))["layout"]


def test_figure_itself_is_left_as_it_was() -> None:
    figure = go.Figure(go.Scatter(y=[1]), layout={"template": "plotly_dark"})
    theme.to_json(figure)

    assert figure.layout.template.layout.colorway
