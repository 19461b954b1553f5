"""Sweeps: what is trained, what comes of it, and the file that keeps it."""

from dataclasses import replace

import pytest

from explorer.config import NetworkConfig, RunConfig, TrainingConfig, network
from explorer.errors import RequestError
from explorer.measurement.sweep import changes, differences, points
from explorer.measurement.verdict import student_t
from explorer.plots.sweep import alternative_text, errors_by_factor
from explorer.recipes import RECIPES
from explorer.records import EvaluationRecord, Provenance
from explorer.sweep import FACTORS, SHIPPED, Sweep, factor, packed, unpacked

PLAIN, RESIDUAL = network("plain-8"), network("resnet-8")
MADE = Provenance("live", "cpu", "fp32", "2026-01-01T00:00:00", {}, "CIFAR-10", 2.0)


def _result(
    config: NetworkConfig, test: float, seed: int = 0, **training: object
) -> tuple[RunConfig, EvaluationRecord]:
    run = RunConfig(config, replace(TrainingConfig(), **training), "cifar10@1", seed)
    return run, EvaluationRecord(9, 100, 1.0, test / 2, 100, test, 0.0, 100, (), 1.0)


DATA = [
    _result(config, error, seed, train_images=images)
    for images, config, errors in (
        (1000, PLAIN, (0.62, 0.63, 0.61)), (1000, RESIDUAL, (0.60, 0.60, 0.60)),
        (250, PLAIN, (0.70, 0.80, 0.60)), (250, RESIDUAL, (0.71, 0.69, 0.70)),
    )
    for seed, error in enumerate(errors)
]  # fmt: skip


@pytest.mark.parametrize("name", FACTORS)
def test_every_factor_changes_one_field_and_reads_what_it_wrote(name: str) -> None:
    varied, run = FACTORS[name], RunConfig(RESIDUAL, RECIPES["brief"].training)
    runs = {varied.applied(run, value).run for value in varied.values}
    assert len(runs) == len(varied.values)
    for value in varied.values:
        assert varied.value(varied.applied(run, value)) == value
        text = {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
        assert varied.read(text) == value


def test_a_sweep_is_every_network_at_every_value_from_every_seed() -> None:
    sweep = Sweep(RECIPES["brief"], "cifar10@1", (PLAIN, RESIDUAL), FACTORS["train_images"], (250, 500), (0, 1))
    assert len({run.run for run in sweep.runs}) == 8
    assert {run.training.train_images for run in sweep.runs} == {250, 500}
    with pytest.raises(RequestError, match="must differ"):
        replace(sweep, values=(250, 250))
    with pytest.raises(RequestError, match="at least one"):
        replace(sweep, networks=())
    with pytest.raises(RequestError, match=r"strength|shortcut|dropout"):
        _ = replace(sweep, factor=FACTORS["dropout"], values=(0.95,)).runs
    with pytest.raises(RequestError, match="choose one of train_images"):
        factor("luck")


def test_points_keep_values_in_order_and_seeds_apart() -> None:
    found = points(DATA, "train_images")
    assert list(found) == [PLAIN, RESIDUAL]
    assert [point.value for point in found[PLAIN]] == [250, 1000]
    assert found[PLAIN][1].test == (0.62, 0.63, 0.61)
    assert found[PLAIN][1].training == pytest.approx((0.31, 0.315, 0.305))


def test_a_difference_is_paired_by_seed_with_students_interval() -> None:
    few, many = differences(DATA, "train_images", PLAIN, RESIDUAL)
    assert many.mean == pytest.approx(0.02)
    assert many.high - many.mean == pytest.approx(student_t(2) * 0.01 / 3**0.5)
    assert (many.sign, few.sign) == (0, 0)
    alone = differences([row for row in DATA if row[0].seed == 0], "train_images", PLAIN, RESIDUAL)
    assert [one.sign for one in alone] == [0, 0], "one seed says nothing about another"


def test_changes_are_against_a_value_of_the_same_network() -> None:
    dropped = replace(RESIDUAL, dropout=0.5)
    results = [_result(RESIDUAL, 0.5, s) for s in (0, 1, 2)]
    results += [_result(dropped, 0.4 + s / 1000, s) for s in (0, 1, 2)]
    (change,) = changes(results, "dropout", RESIDUAL, 0.0)
    assert (change.value, change.sign, change.seeds) == (0.5, -1, 3)
    assert change.mean == pytest.approx(-0.099)


def test_a_file_gives_back_what_was_packed() -> None:
    whole = packed(DATA[1:], [(DATA[0][0], "failed: no number")], MADE)
    found = unpacked(whole, "x")
    assert found.results == DATA[1:]
    assert found.failed == [(DATA[0][0], "failed: no number")]
    assert found.provenance == replace(MADE, origin="recorded")
    for damaged in ("", "{}", whole[:-9], whole.replace('"format": 1', '"format": 2')):
        with pytest.raises(RequestError):
            unpacked(damaged, "x")


def test_the_figure_has_a_line_a_network_and_a_band_from_best_to_worst() -> None:
    figure = errors_by_factor(points(DATA, "train_images"), "training images", "log")
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    lines = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in lines] == ["plain-8", "resnet-8"] * 2
    assert tuple(lines[0].y) == pytest.approx((0.70, 0.62))
    assert tuple(bands[0].y) == pytest.approx((0.80, 0.63, 0.61, 0.60))
    assert figure.layout.xaxis.type == "log"
    assert {trace.name for trace in errors_by_factor(points(DATA, "depth"), "layers", "log", field="depth").data} == {
        "plain", "resnet", None,
    }  # fmt: skip
    empty = errors_by_factor({}, "layers", "log", (8, 14), "depth")
    assert [tuple(trace.x) for trace in empty.data] == [(8, 14)] * 2, "both panels stand before there is a result"
    assert "plain-8 at 250: test 70.0%" in alternative_text(points(DATA, "train_images"), "training images")


@pytest.mark.parametrize("name", [path.stem for path in sorted(SHIPPED.iterdir())])
def test_what_ships_is_whole_and_has_three_seeds_of_everything(name: str) -> None:
    found = unpacked((SHIPPED / f"{name}.jsonl").read_text(), name)
    assert found.provenance.origin == "recorded"
    assert found.provenance.seconds > 0
    assert len({(run.data, run.training.steps, run.training.image_size) for run, _ in found.results}) == 1
    for measured_one, measured in points(found.results, name).items():
        assert len(measured) > 2
        for point in measured:
            broken = [run for run, _ in found.failed if FACTORS[name].applied(run, point.value) == run]
            assert len(point.test) + sum(replace(run.network, dropout=0.0) == measured_one for run in broken) == 3
