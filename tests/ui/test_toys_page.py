"""The page of toys through AppTest: what each says is what it draws."""

import subprocess
import sys

import pytest

from tests.said import ROOT
from tests.ui.visits import charts, finding, visit


def test_deep_linear_networks_say_what_is_missing() -> None:
    app = visit("toys", view="linear")
    norms, losses = charts(app)
    assert norms["trained residual"]["y"] == pytest.approx(norms["constructed, ‖R<sup>1/L</sup> − I‖"]["y"], rel=0.01)
    said = finding(app)
    assert f"to {norms['trained residual']['y'][-1]:.2g} in 64" in said
    assert f"with 64 layers {losses['plain']['y'][-1]:.0%}" in said
    app.segmented_control(key="toys-target").set_value("mirror").run()
    norms, losses = charts(app)
    assert list(norms) == ["trained residual"]
    assert f"With 64 layers {losses['residual']['y'][-1]:.0%} of the target is missing" in finding(app)


def test_shattered_gradients_follow_the_depth() -> None:
    app = visit("toys", view="shattered")
    deep = finding(app)
    assert "0 would be white noise, 1.00 a random walk" in deep
    assert "the residual one stays above one half up to 50 layers" in deep
    app.slider(key="toys-depth").set_value(1).run()
    assert "With 1 layer neighbouring" in finding(app)
    curves, correlations = charts(app)
    assert len(curves["plain"]["y"]) == 256
    assert correlations["white noise"]["y"][1] == 0


def test_the_signal_is_told_with_bn_and_without() -> None:
    app = visit("toys", view="signal")
    app.select_slider(key="toys-layers").set_value(20).run()
    said = finding(app)
    assert "<b>With BN</b> the residual trunk grows by 0." in said
    assert "-fold in each block" in said
    (lines,) = charts(app)
    assert set(lines) == {"plain", "residual, trunk", "residual, branch", "SkipInit, trunk"}
    app.segmented_control(key="toys-blocks").set_value("True").run()
    assert finding(app) != said


def test_the_page_is_painted_before_torch_is_there() -> None:
    code = "import sys, explorer.ui.toys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
