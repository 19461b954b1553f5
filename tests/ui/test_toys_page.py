"""The page of toys through AppTest: what each says is what it draws."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.ui import sitemap

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_DATA", "shapes")
    monkeypatch.setattr("explorer.engines.local.LocalEngine.tend", lambda self: None)
    st.cache_resource.clear()
    st.cache_data.clear()


def _open(view: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "explorer" / "ui" / "router.py"), default_timeout=60)
    app.query_params["view"] = view
    app.switch_page(str(sitemap.entry("toys").path))
    return app.run()


def _finding(app: AppTest) -> str:
    assert not app.exception
    assert not app.error
    (said,) = [html.proto.body for html in app.get("html") if 'class="rx-finding"' in html.proto.body]
    return str(said)


def _charts(app: AppTest) -> list[dict[str, Any]]:
    """What each chart draws, by the names of its lines."""
    drawn = []
    for chart in app.get("bidi_component"):
        figure = json.loads(json.loads(chart.proto.mixed.json or chart.proto.json)["figure"])
        drawn.append({trace["name"]: trace["y"] for trace in figure["data"]})
    return drawn


def test_deep_linear_networks_say_what_is_missing() -> None:
    app = _open("linear")
    norms, losses = _charts(app)
    assert norms["trained residual"] == pytest.approx(norms["constructed, ‖R<sup>1/L</sup> − I‖"], rel=0.01)
    said = _finding(app)
    assert f"to {norms['trained residual'][-1]:.2g} in 64" in said
    assert f"with 64 layers {losses['plain'][-1]:.0%}" in said
    app.segmented_control(key="toys-target").set_value("mirror").run()
    norms, losses = _charts(app)
    assert list(norms) == ["trained residual"]
    assert f"With 64 layers {losses['residual'][-1]:.0%} of the target is missing" in _finding(app)


def test_shattered_gradients_follow_the_depth() -> None:
    app = _open("shattered")
    deep = _finding(app)
    assert "0 would be white noise, 1.00 a random walk" in deep
    assert "the residual one stays above one half up to 50 layers" in deep
    app.slider(key="toys-depth").set_value(1).run()
    assert "With 1 layer neighbouring" in _finding(app)
    curves, correlations = _charts(app)
    assert len(curves["plain"]) == 256
    assert correlations["white noise"][1] == 0


def test_the_signal_is_told_with_bn_and_without() -> None:
    app = _open("signal")
    app.select_slider(key="toys-layers").set_value(20).run()
    said = _finding(app)
    assert "<b>With BN</b> the residual trunk grows by 0." in said
    assert "-fold in each block" in said
    (lines,) = _charts(app)
    assert set(lines) == {"plain", "residual, trunk", "residual, branch", "SkipInit, trunk"}
    app.segmented_control(key="toys-blocks").set_value("True").run()
    assert _finding(app) != said


def test_the_page_is_painted_before_torch_is_there() -> None:
    code = "import sys, explorer.ui.toys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
