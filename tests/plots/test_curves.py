"""Error curves: what stands for what, and means only over what is finished."""

from dataclasses import replace

import pytest

from explorer.config import NetworkConfig, RunConfig, TrainingConfig, network
from explorer.plots import theme
from explorer.plots.curves import Curve, alternative_text, error_curves
from explorer.records import EvaluationRecord, StepRecord

TRAINING = TrainingConfig(steps=10, milestones=())


def _curve(family: str, depth: int, errors: tuple[float, ...], seed: int = 0, recorded: bool = False) -> Curve:
    """Training errors at steps 5 and 10; the test error is 10 points higher."""
    network = NetworkConfig(depth=depth, shortcut="none" if family == "plain" else "A")
    records = []
    for index, error in enumerate(errors):
        step = 5 * (index + 1)
        records.append(StepRecord(2 * index, step, 1.0, 1.0, error, 0.1, 100.0, 1.0))
        records.append(EvaluationRecord(2 * index + 1, step, 1.0, error, 10, error + 0.1, 0.0, 10, (), 1.0))
    return Curve(RunConfig(network, TRAINING, seed=seed), records, recorded)


def _traces(curves: list[Curve]) -> dict:
    return {trace.name: trace for trace in error_curves(curves).data if trace.name}


def test_training_is_thin_and_test_is_bold_and_families_have_a_panel_each() -> None:
    traces = _traces([_curve("plain", 8, (0.5, 0.4)), _curve("resnet", 8, (0.4, 0.3))])
    assert list(traces["plain-8 training"].y) == [0.5, 0.4]
    assert list(traces["plain-8 test"].y) == pytest.approx([0.6, 0.5])
    assert traces["plain-8 training"].line.width < traces["plain-8 test"].line.width
    assert traces["plain-8 training"].xaxis == "x"
    assert traces["resnet-8 training"].xaxis == "x2"


def test_depth_is_told_by_shade_and_dash() -> None:
    traces = _traces([_curve("plain", 8, (0.5, 0.4)), _curve("plain", 14, (0.6, 0.5))])
    shallow, deep = traces["plain-8 test"].line, traces["plain-14 test"].line
    assert shallow.dash != deep.dash
    assert (shallow.color, deep.color) == (theme.shade("plain", 0), theme.shade("plain", 1))


def test_seeds_are_averaged_with_a_band_from_best_to_worst() -> None:
    seeds = [_curve("plain", 8, (0.5, 0.4), seed=0), _curve("plain", 8, (0.7, 0.6), seed=1)]
    figure = error_curves(seeds)
    assert list(_traces(seeds)["plain-8 training"].y) == pytest.approx([0.6, 0.5])
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert list(band.y) == [0.7, 0.6, 0.4, 0.5]


def test_a_seed_under_way_does_not_shorten_the_finished_ones() -> None:
    traces = _traces([_curve("plain", 8, (0.5, 0.4), seed=0), _curve("plain", 8, (0.7,), seed=1)])
    assert list(traces["plain-8 training"].y) == [0.5, 0.4]
    assert list(traces["plain-8 seed 1 training"].y) == [0.7]


def test_a_recording_behind_a_live_race_is_faint_and_out_of_the_legend() -> None:
    recorded = _curve("plain", 8, (0.5, 0.4), recorded=True)
    alone = _traces([recorded])["plain-8 training"]
    assert alone.opacity == 1
    assert alone.showlegend
    behind = _traces([recorded, _curve("plain", 8, (0.7,), seed=1)])["plain-8 training (recorded)"]
    assert behind.opacity < 0.5
    assert not behind.showlegend


def test_both_panels_have_axes_before_there_is_anything_to_draw() -> None:
    figure = error_curves([], steps=100)
    assert {trace.xaxis for trace in figure.data} == {"x", "x2"}
    assert tuple(figure.layout.xaxis.range) == (0, 100)
    assert "Nothing measured" in alternative_text([])


def test_the_alternative_text_tells_the_last_errors() -> None:
    text = alternative_text([_curve("plain", 8, (0.5, 0.4)), replace(_curve("resnet", 8, (0.3,)), recorded=True)])
    assert "plain-8, seed 0, step 10: training error 40.0%, test error 50.0%" in text
    assert "resnet-8, seed 0, step 5: training error 30.0%" in text


def test_on_a_narrow_page_the_panels_stand_one_above_the_other() -> None:
    narrow = theme.stacked(error_curves([], steps=10), 600)["layout"]
    assert narrow["xaxis"]["domain"] == narrow["xaxis2"]["domain"] == [0, 1]
    assert narrow["yaxis"]["domain"][0] > narrow["yaxis2"]["domain"][1]
    titles = [title["text"] for title in narrow["annotations"]]
    assert titles == ["Plain networks", "Residual networks"]


def test_networks_that_differ_in_an_option_are_lines_of_their_own() -> None:
    curves = [_curve("resnet", 8, (0.4, 0.3)), _curve("resnet", 8, (0.5, 0.4)), _curve("plain", 8, (0.5, 0.4))]
    names = ("resnet-8", "resnet-8:shortcut=B", "highway-8")
    curves = [
        replace(curve, config=replace(curve.config, network=network(name)))
        for name, curve in zip(names, curves, strict=True)
    ]
    traces = _traces(curves)
    lines = [traces[f"{name} test"].line for name in names]
    assert {traces[f"{name} test"].xaxis for name in names} == {"x2"}
    assert lines[0].dash != lines[1].dash
    assert lines[0].color == lines[1].color != lines[2].color


def test_a_constructed_start_is_a_line_of_its_own() -> None:
    scratch = _curve("resnet", 32, (0.5, 0.4))
    constructed = replace(scratch, config=replace(scratch.config, start="0123456789abcdef"))
    lines = {name: trace.line for name, trace in _traces([scratch, constructed]).items()}
    assert set(lines) == {f"resnet-32{how} {split}" for how in ("", " constructed,") for split in ("training", "test")}
    assert lines["resnet-32 test"].color == lines["resnet-32 constructed, test"].color
    assert lines["resnet-32 test"].dash != lines["resnet-32 constructed, test"].dash
