"""The page of related work: what each panel says is what it draws, and holds for the numbers it has."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from explorer.config import NetworkConfig, RunConfig
from explorer.data import sources
from explorer.engines.studies import SHIPPED, Studies, key
from explorer.measurement.encodings import METHODS, estimate
from explorer.recipes import RECIPES
from explorer.records import EvaluationRecord, GateOpenness, StepRecord
from explorer.runs import DONE, STOPPED, Store
from explorer.ui import encodings
from tests.said import ROOT
from tests.test_runs import PROVENANCE
from tests.ui.visits import charts, finding, sent, visit, words


def test_multigrid_says_by_what_factor_and_follows_the_sliders() -> None:
    app = visit("related_work")
    norms, errors = charts(app)
    left = norms["V-cycles, error e"]["y"]
    pair = min(first / third for first, third in zip(left, left[2:], strict=False))
    said = finding(app)
    assert f"<b>Yes:</b> on 256 intervals any two V-cycles divide the error by {int(pair)} or more" in said
    assert f"{100 * left[2]:.2g}% of it is left" in said
    assert "of which 100% (of its square) is smooth" in said
    assert len(errors["after V-cycles"]["y"]) == 257
    app.slider(key="multigrid-cycle").set_value(0)
    app.select_slider(key="multigrid-grid").set_value(16).run()
    assert "on 16 intervals" in finding(app)
    assert "At the start" in finding(app)
    assert len(charts(app)[1]["after V-cycles"]["y"]) == 17


def test_where_the_factor_is_not_reached_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.multigrid._ENOUGH", 1e6)
    assert "<b>Not here:</b>" in finding(visit("related_work"))
    monkeypatch.setattr("explorer.ui.multigrid._ENOUGH", 1.0)
    assert "<b>Not needed here:</b>" in finding(visit("related_work"))


def test_the_recorded_comparison_is_shown_without_images_and_its_sentence_is_its_numbers() -> None:
    app = visit("related_work", view="encodings")
    arguments = encodings._ASKED["recorded"].arguments
    assert (SHIPPED / f"{key(arguments)}.jsonl").exists()
    records = encodings._records(Studies(SHIPPED).get(arguments))
    said = finding(app)
    for measure, beats in (
        ("precision", "Among the nearest ten VLAD beats the bag of words of the same dictionary"),
        ("average_precision", "Over the whole list VLAD beats it"),
    ):
        vlad, bag = (estimate(records, measure, (method, 32)) for method in ("vlad", "bag"))
        more = estimate(records, measure, ("vlad", 32), ("bag", 32))
        assert (beats in said) == more.above
        assert f"{vlad.mean:.1%}" in said
        assert f"{bag.mean:.1%} ({100 * more.mean:+.1f}".replace("-", "−") in said
    assert "re-encoded as JPEG" in said
    assert "recorded" in words(app)
    (chart,) = charts(app)
    assert set(chart) == {"bag of words", "VLAD", "Fisher vector"}
    app.segmented_control(key="encodings-axis").set_value("length").run()
    assert charts(app)[0]["VLAD"]["x"][0] == 4 * 24


def test_a_comparison_is_asked_for_and_says_what_its_statistics_allow(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[list[str], str]] = []
    monkeypatch.setattr(
        Studies, "start", lambda self, arguments, data="", asker="": asked.append((list(arguments), data))
    )
    app = visit("related_work", view="encodings")
    app.segmented_control(key="encodings-shown").set_value("here").run()
    assert "Not measured yet" in finding(app)
    app.button(key="encodings-here-start").click().run()
    arguments = encodings._ASKED["here"].arguments
    assert asked == [(arguments, "shapes")]
    for differences, said in (
        ((0.02, 0.03, 0.025), ("VLAD beats the bag of words of the same dictionary:", "VLAD beats it:")),
        ((0.05, -0.05, 0.0), ("as far as this shows:", "as far as this shows:")),
        ((-0.02, -0.03, -0.025), ("it is worse:", "it is worse:")),
    ):
        _keep(store, arguments, differences)
        found = finding(app.run())
        assert found.count(said[0]) == (2 if said[0] == said[1] else 1)
        assert said[1] in found


def _keep(store: Store, arguments: list[str], differences: tuple[float, ...]) -> None:
    """A finished comparison in which VLAD and Fisher vectors are better than the bag by so much, draw by draw."""
    lines: list[dict[str, Any]] = []
    for draw, more in enumerate(differences):
        for words_ in (8, 32, 128):
            scores = [
                {
                    "method": method,
                    "length": words_,
                    "average_precision": 0.2 + (method != "bag") * more,
                    "precision": 0.3 + (method != "bag") * more,
                }
                for method in METHODS
            ]
            done = len(lines) + 1
            lines.append(
                {"kind": "encodings", "seq": done - 1, "done": done, "of": 9, "draw": draw, "words": words_,
                 "scores": scores}
            )  # fmt: skip
    made = {"origin": "live", "device": "a test machine", "precision": "fp32", "date": "2026-01-01T00:00:00+00:00",
            "versions": {}, "data": "images", "seconds": 0.0}  # fmt: skip
    lines.append({"provenance": made, "images": 300, "draws": 3, "chance": 0.1})
    studies = Studies(store.folder / "studies")
    studies.folder.mkdir(exist_ok=True)
    studies._files(arguments)[0].write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_the_recorded_gates_are_shown_at_every_moment() -> None:
    app = visit("related_work", view="highway")
    said = finding(app)
    assert "They decide how much is carried on" in said
    assert "before the first" in said
    now, course = charts(app)
    assert len(now["mean of T"]["y"]) == len(course[None]["z"])
    app.slider(key="gates-share").set_value(0).run()
    assert "after 0 steps" in finding(app)
    first = charts(app)[0]
    assert first["mean of T"]["y"] == first["before the first step"]["y"]


def test_gates_of_what_was_trained_here_come_first(store: Store) -> None:
    gates = tuple(GateOpenness(f"stage{stage}.0", 0.1 * stage, 0.1, 0.05, 0.0) for stage in (1, 2, 3))
    later = tuple(replace(gate, mean=gate.mean + 0.5, shut=0.25) for gate in gates)
    training = RECIPES["brief"].training
    config = RunConfig(NetworkConfig(8, "gate", width=8), training, sources.resolve("shapes").name)
    store.submit([config], "shapes")
    store.claim(0)
    store.append(config.run, EvaluationRecord(0, 0, 0, 0.9, 250, 0.9, 0.5, 250, (), 0.1, gates=gates))
    store.append(config.run, StepRecord(1, training.steps, 19, 1.0, 0.4, 0.0, 900.0, 9.0))
    store.append(config.run, EvaluationRecord(2, training.steps, 19, 0.4, 250, 0.6, 0.1, 250, (), 9.0, gates=later))
    store.set_provenance(config.run, PROVENANCE)
    store.finish(config.run, DONE)
    said = finding(visit("related_work", view="highway"))
    assert (
        "T is 0.70 on average after 600 steps, 0.20 before the first; from 0.60 in stage1.0 to 0.80 in stage3.0" in said
    )
    assert "It moved most in stage3.0, by 0.50" in said
    assert "25.0% of all values of T are above 0.9" in said
    # gates of 8, 16 and 32 channels: 1×1 convolutions with a bias
    assert f"{8 * 8 + 8 + 8 * 16 + 16 + 16 * 32 + 32:,} of" in said


def test_a_highway_network_is_queued_with_the_bias_that_was_chosen(store: Store) -> None:
    app = visit("related_work", view="highway")
    app.slider(key="gates-bias").set_value(-1.0).run()
    app.button(key="gates-start").click().run()
    assert not app.exception
    (run,) = store.runs()
    assert (run.config.network.name, run.config.data) == (
        "highway-20:width=8,gate_bias=-1",
        sources.resolve("shapes").name,
    )
    assert app.selectbox(key="gates-run").value == run.run, "it is looked at as soon as it is asked for"
    app.button(key="gates-stop").click().run()
    assert not app.exception
    assert [run.state for run in store.runs()] == [STOPPED]
    assert app.selectbox(key="gates-run").value != run.run
    assert "They decide how much is carried on" in finding(app)


def test_inception_and_the_residual_block_are_counted() -> None:
    app = visit("related_work", view="inception")
    app.select_slider(key="inception-module").set_value("3a").run()
    said = finding(app)
    # 1×1, 1×1 and 3×3, the same, pooling and 1×1: convolutions without bias, BN with gamma and beta
    counted = [192 * 64 + 128, 192 * 96 + 9 * 96 * 128 + 448, 192 * 16 + 9 * 16 * 32 + 96, 192 * 32 + 64]
    assert "4 paths side by side, of 1, 1, 2, 2 learnt layers, joined: 192 channels become 256" in said
    assert f"the cheapest has {min(counted):,} of its {sum(counted):,} parameters" in said
    assert "2 paths, of 0 and 3 learnt layers, added: 512 channels stay 512. The shortcut has 0 parameters" in said
    (drawn,) = sent(app)
    assert "inception3a" in str(drawn)
    app.segmented_control(key="inception-block").set_value("resnet-34@imagenet").run()
    assert "of 0 and 2 learnt layers" in finding(app)


def test_the_page_is_painted_before_torch_and_scikit_learn_are_there() -> None:
    code = (
        "import sys, explorer.ui.multigrid, explorer.ui.encodings, explorer.ui.gates, explorer.ui.inception;"
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
