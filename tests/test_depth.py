"""Errors at the end against depth: only what differs in depth, shortcut and seed is put together."""

from dataclasses import replace

import pytest

from explorer import paper
from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.measurement.depth import FinalErrors, Spread, experiments
from explorer.plots.depth import alternative_text, depth_chart
from explorer.recipes import RECIPES, in_steps, is_papers
from explorer.records import EvaluationRecord

TRAINING = TrainingConfig(steps=100)


def _result(
    family: str, depth: int, seed: int, training_error: float, training: TrainingConfig = TRAINING, **network: object
) -> tuple[RunConfig, EvaluationRecord]:
    shortcut = "A" if family == "resnet" else "none"
    config = RunConfig(NetworkConfig(depth, network.pop("shortcut", shortcut), **network), training, "cifar10@1", seed)
    return config, EvaluationRecord(9, 100, 1.0, training_error, 100, training_error + 0.1, 0.0, 100, (), 1.0)


FOUR = [
    _result(family, depth, seed, error + seed / 100)
    for (family, depth), error in {
        ("plain", 8): 0.2,
        ("plain", 14): 0.3,
        ("resnet", 8): 0.2,
        ("resnet", 14): 0.1,
    }.items()
    for seed in (0, 2)
]


def test_seeds_are_averaged_network_by_network() -> None:
    ((_, found),) = experiments(FOUR).items()
    assert [(f.network.family, f.network.depth, f.seeds) for f in found] == [
        ("plain", 8, 2), ("resnet", 8, 2), ("plain", 14, 2), ("resnet", 14, 2),
    ]  # fmt: skip
    assert found[2].training.mean == pytest.approx(0.31)
    assert found[2].training.std == pytest.approx(0.01 * 2**0.5)  # of 0.30 and 0.32
    assert found[3].test.mean == pytest.approx(0.21)


def test_one_seed_has_no_deviation() -> None:
    ((_, found),) = experiments([result for result in FOUR if result[0].seed == 0]).items()
    assert {f.test.std for f in found} == {None}


def test_what_differs_in_more_than_depth_stays_apart() -> None:
    others = [
        _result("resnet", 20, 0, 0.5, shortcut="B"),
        _result("resnet", 20, 0, 0.5, width=32),
        _result("resnet", 20, 0, 0.5, training=replace(TRAINING, learning_rate=0.2)),
    ]
    ((_, found),) = experiments([*FOUR, *others]).items()
    assert {f.network.depth for f in found} == {8, 14}
    assert not experiments([result for result in FOUR if result[0].network.family == "plain"])
    warming = _result("resnet", 110, 0, 0.5, training=replace(TRAINING, warm_up_until_error=0.8))
    ((_, found),) = experiments([*FOUR, warming]).items()
    assert found[-1].network.depth == 110


def test_the_papers_values_are_table_6_and_keep_their_distance() -> None:
    table = {20: 0.0875, 32: 0.0751, 44: 0.0717, 56: 0.0697, 110: 0.0643, 1202: 0.0793}
    printed = {depth: paper.printed_errors("resnet", depth) for depth in paper.depths("resnet")}
    assert {depth: errors.test for depth, errors in printed.items() if errors} == table
    means = table | {110: 0.0661}  # of five runs, the best of which is the table's
    assert {depth: errors.mean_test for depth, errors in printed.items() if errors} == means
    assert not any(errors.read for errors in printed.values() if errors)
    plain = [paper.printed_errors("plain", depth) for depth in (20, 32, 44, 56)]
    assert all(errors is not None and errors.read for errors in plain)
    assert paper.printed_errors("plain", 110) is None


def test_chart_has_the_paper_in_grey_and_what_was_measured_in_the_familys_colour() -> None:
    shown = [FinalErrors(NetworkConfig(20, "none"), Spread(0.1, None), Spread(0.2, 0.01), 3)]
    figure = depth_chart(shown)
    by_name = {(trace.name, trace.xaxis): trace for trace in figure.data}
    assert list(by_name["the paper, test", "x2"].x) == ["20", "32", "44", "56", "110", "1202"]
    assert by_name["the paper, test", "x2"].y[-1] == 0.0793
    assert list(by_name["plain, test", "x"].y) == [0.2]
    assert list(by_name["plain, test", "x"].error_y.array) == [0.01]
    assert by_name["plain, test", "x"].line.color != by_name["the paper, test", "x"].marker.color
    assert "plain-20: training 10.0%, test 20.0%" in alternative_text(shown)


def test_a_recipe_is_the_papers_whatever_its_length() -> None:
    assert is_papers(TrainingConfig())
    assert is_papers(in_steps(8_000))
    assert is_papers(RECIPES["paper"].training_for(NetworkConfig(110, "A")))
    assert not is_papers(RECIPES["longer"].training)
    assert not is_papers(replace(in_steps(8_000), batch_size=64))
