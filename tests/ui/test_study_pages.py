"""Pages of measurements that take longer than a click: asked for with one press, shown when they are there."""

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stdout

import pytest
from streamlit.testing.v1 import AppTest

from explorer.__main__ import main
from explorer.config import RunConfig
from explorer.engines.studies import Studies
from explorer.runs import Store
from tests.ui.visits import figures, finished, keep_weights, visit, words


@pytest.fixture
def pair(store: Store) -> list[RunConfig]:
    """A plain and a residual network with weights."""
    configs = [finished(store, family, 8) for family in ("plain", "resnet")]
    for config in configs:
        keep_weights(store, config)
    return configs


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """What was asked for, in place of processes that make it."""
    asked: list[tuple[list[str], str]] = []
    monkeypatch.setattr(
        Studies, "start", lambda self, arguments, data="", asker="": asked.append((list(arguments), data))
    )
    return asked


def _keep(store: Store, arguments: Sequence[str], *lines: dict[str, object]) -> None:
    """These lines as what the study of these arguments printed."""
    studies = Studies(store.folder / "studies")
    studies.folder.mkdir(exist_ok=True)
    studies._files(arguments)[0].write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _make(store: Store, arguments: Sequence[str]) -> None:
    """The study itself, here and now."""
    output = io.StringIO()
    with redirect_stdout(output):
        assert main(["measure", *arguments, "--data", "shapes", "--json"]) == 0
    _keep(store, arguments, *map(json.loads, output.getvalue().splitlines()))


def _choose(app: AppTest, page: str, pair: Sequence[RunConfig]) -> AppTest:
    app.selectbox(key=f"{page}-first").select(pair[0].run)
    return app.selectbox(key=f"{page}-second").select(pair[1].run).run()


def _figure(app: AppTest, chart: int = -1) -> dict[str, list[dict[str, object]]]:
    return figures(app)[chart]


def test_lesions_are_asked_for_and_shown_when_they_are_there(
    store: Store, pair: list[RunConfig], started: list[tuple[list[str], str]]
) -> None:
    app = _choose(visit("lesions"), "lesions", pair)
    assert "Not measured yet" in words(app)
    app.button(key="lesions-start").click().run()
    expected = [["lesions", config.run, "--images", "1000"] for config in pair]
    assert started == [(arguments, "shapes") for arguments in expected]
    for arguments, error in zip(expected, (0.9, 0.5), strict=True):
        errors = (error, 0.95, 0.95)  # the second and the third block change the shape
        lesions = [{"blocks": [f"stage{stage}.0"], "error": error} for stage, error in enumerate(errors, 1)]
        record = {"kind": "lesions", "seq": 0, "done": 1, "of": 1, "images": 1000, "whole": 0.4, "lesions": lesions}
        _keep(store, arguments, record, {"run": arguments[1], "provenance": _PROVENANCE})
    app.run()
    assert not app.exception
    text = words(app)
    assert "without one block the error rises by 50.0 points (median; at most 50.0, without 1.0), from 40.0%" in text
    assert "rises by 10.0 points" in text
    assert "a test machine" in text
    assert not [button for button in app.button if button.key == "lesions-start"]


def test_several_blocks_are_told_by_their_medians(store: Store, pair: list[RunConfig]) -> None:
    app = _choose(visit("lesions"), "lesions", pair)
    app.segmented_control(key="lesions-what").set_value("remove").run()
    for config, factor in zip(pair, (1.0, 0.5), strict=True):
        arguments = ["lesions", config.run, "--remove", "1,2,4,8,16", "--draws", "8", "--images", "500"]
        lesions = [
            {"blocks": ["stage1.0"] * number, "error": factor * (number / 10 + draw / 100)}
            for number in (1, 2, 4)
            for draw in (0, 1, 2)
        ]
        record = {"kind": "lesions", "seq": 0, "done": 9, "of": 9, "images": 500, "whole": 0.05, "lesions": lesions}
        _keep(store, arguments, record, {"run": config.run, "provenance": _PROVENANCE})
    app.run()
    assert "41.0% without 4 blocks, 5.0% unchanged" in words(app)
    assert "20.5% without 4 blocks" in words(app)
    medians, draws = _figure(app)["data"][:2]
    assert medians["y"] == pytest.approx([0.05, 0.11, 0.21, 0.41])
    assert len(draws["y"]) == 9


def test_blocks_are_taken_away_by_pressing_them(store: Store, pair: list[RunConfig]) -> None:
    app = _choose(visit("lesions"), "lesions", pair)
    app.segmented_control(key="lesions-what").set_value("choose").run()
    text = words(app)
    assert text.count("with all.") == 2
    (pills,) = [group for group in app.button_group if group.key.startswith("lesions-blocks")]
    pills.set_value(["stage2.0"]).run()
    assert not app.exception
    assert words(app).count("without 1 of 3 blocks") == 2


def test_a_surface_is_drawn_as_it_was_measured(
    store: Store, pair: list[RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.ui.surface._SIZES", (5, 3))
    monkeypatch.setattr("explorer.ui.surface._IMAGES", 20)
    app = _choose(visit("surface"), "surface", pair)
    assert "9 places around the trained weights" in words(app)
    for config in pair:
        _make(store, ["surface", config.run, "--plane", "random", "--size", "3", "--images", "20"])
    app.run()
    assert "at the trained weights, up to" in words(app)
    contour, path = _figure(app)["data"][:2]
    assert (contour["x"], contour["y"]) == ([-1, 0, 1], [-1, 0, 1])
    assert path["x"][-1] == path["y"][-1] == 0
    for config in pair:
        _make(store, ["surface", config.run, "--plane", "random", "--size", "5", "--images", "20"])
    app.run()
    assert len(_figure(app)["data"][0]["x"]) == 5, "the finest that is there"
    app.segmented_control(key="surface-view").set_value("landscape").run()
    assert [trace["type"] for trace in _figure(app)["data"]] == ["surface", "surface"]
    app.segmented_control(key="surface-view").set_value("slices").run()
    assert not app.exception
    assert len(_figure(app)["data"]) == 4


def test_what_a_plane_needs_and_a_run_has_not_is_said(store: Store) -> None:
    config = finished(store, "plain", 8, width=4)
    keep_weights(store, config)
    assert main(["measure", "surface", config.run, "--plane", "path", "--data", "shapes"]) == 2
    assert main(["measure", "surface", config.run, "--size", "4", "--data", "shapes"]) == 2
    assert main(["measure", "paths", config.run, "--data", "shapes"]) == 2


def test_paths_are_told_by_the_length_that_holds_half_the_gradient(store: Store, pair: list[RunConfig]) -> None:
    app = visit("gradients", view="paths")
    app.multiselect(key="paths-runs").set_value([pair[1].run]).run()
    _make(store, ["paths", pair[1].run, "--images", "16", "--draws", "30"])
    app.run()
    assert not app.exception
    assert "of its 3 blocks, half of the gradient goes through at most" in words(app)
    bars, binomial = _figure(app)["data"]
    assert sum(bars["y"]) == pytest.approx(1)
    assert binomial["y"] == [1 / 8, 3 / 8, 3 / 8, 1 / 8]


def test_summands_of_a_run_without_them_are_measured_from_its_weights(store: Store, pair: list[RunConfig]) -> None:
    app = visit("responses")
    app.multiselect(key="responses-runs").set_value([config.run for config in pair])
    app.segmented_control(key="responses-shown").set_value("branches").run()
    assert "Not measured yet" in words(app)
    _make(store, ["branches", pair[1].run, "--images", "250"])
    app.run()
    assert "times the size of x (median over its 3 blocks" in words(app)
    app.slider(key="responses-share").set_value(0).run()
    assert not app.exception
    (line,) = _figure(app)["data"]
    assert len(line["y"]) == 3


def test_the_untrained_networks_channels_all_respond_with_one(store: Store, pair: list[RunConfig]) -> None:
    app = visit("responses")
    app.multiselect(key="responses-runs").set_value([pair[0].run])
    app.toggle(key="responses-channels").set_value(True).run()
    low, high = _figure(app, chart=0)["data"][:2]
    assert low["y"] == high["y"] == [1.0] * 7


_PROVENANCE = {
    "origin": "live", "device": "a test machine", "precision": "fp32", "date": "2026-01-01T00:00:00+00:00",
    "versions": {}, "data": "shapes", "seconds": 0.0,
}  # fmt: skip
