"""Every page through AppTest: on an empty store, on one with runs, and where things go wrong."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.attribution.methods import METHODS
from explorer.checkpoints import save
from explorer.config import NetworkConfig, RunConfig
from explorer.data import sources
from explorer.data.prepared import prepared
from explorer.engines.studies import Studies
from explorer.networks.build import build
from explorer.recipes import RECIPES
from explorer.records import EvaluationRecord, LayerResponse, StepRecord
from explorer.runs import DONE, PAUSED, QUEUED, RUNNING, STOPPED, Store
from explorer.ui import sitemap
from tests.conftest import TINY_TRAINING
from tests.test_runs import PROVENANCE

ROUTER = str(Path(__file__).resolve().parents[2] / "explorer" / "ui" / "router.py")
ERRORS = {("plain", 8): 0.40, ("plain", 32): 0.62, ("resnet", 8): 0.38, ("resnet", 32): 0.36}


@pytest.fixture(autouse=True)
def _own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds another's store in the caches, and none starts a worker."""
    monkeypatch.setenv("EXPLORER_DATA", "shapes")
    monkeypatch.setattr("explorer.engines.local.LocalEngine.tend", lambda self: None)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()


def _open(name: str, **address: str) -> AppTest:
    app = AppTest.from_file(ROUTER, default_timeout=60)
    for key, value in address.items():
        app.query_params[key] = value
    app.switch_page(str(sitemap.entry(name).path)) if name != sitemap.HOME.name else None
    return app.run()


def _text(app: AppTest) -> str:
    """All words on the page, with plain spaces."""
    return " ".join(
        [
            *(element.value for element in (*app.markdown, *app.caption, *app.info, *app.error)),
            *(html.proto.body for html in app.get("html")),
        ]
    ).replace("\u00a0", " ")


def _finished(
    store: Store, family: str, depth: int, training=RECIPES["brief"].training, width: int = RECIPES["brief"].width
) -> RunConfig:
    network = NetworkConfig(depth=depth, shortcut="A" if family == "resnet" else "none", width=width)
    config = RunConfig(network, training, sources.resolve("shapes").name)
    store.submit([config], "shapes")
    store.claim(0)
    responses = tuple(LayerResponse(f"layer{i}", 1.0 if family == "plain" else 0.8, 1.0) for i in range(depth - 1))
    error = ERRORS[family, depth]
    store.append(config.run, EvaluationRecord(0, 0, 0, 0.9, 2000, 0.9, 0.5, 2000, responses, 0.1))
    store.append(config.run, StepRecord(1, training.steps, 6.4, 1.0, error, 0.0, 900.0, 30.0))
    store.append(config.run, EvaluationRecord(2, training.steps, 6.4, error, 2000, 0.6, 0.1, 2000, responses, 30.0))
    store.set_provenance(config.run, PROVENANCE)
    store.finish(config.run, DONE)
    return config


@pytest.mark.parametrize("name", [row.name for row in sitemap.PAGES])
def test_every_page_shows_something_before_anything_was_trained(name: str) -> None:
    app = _open(name)
    assert not app.exception
    assert not app.error
    assert app.title[0].value


def test_the_first_screen_has_the_recorded_verdict() -> None:
    app = _open("degradation")
    assert "more layers raise the training error" in _text(app)
    assert "recorded" in _text(app)
    assert app.button(key="race-start").label.startswith("Run it here")


def test_the_verdict_of_what_ran_here(store: Store) -> None:
    for family, depth in ERRORS:
        _finished(store, family, depth)
    text = _text(_open("degradation"))
    assert "<b>Plain:</b> 24 more layers raise the training error, 40 % → 62 % (+22 ± 3 points)." in text
    assert "no difference that these runs can show, 38 % → 36 % (−2.0 ± 3.0 points)" in text
    assert "One seed; ± is the 95 % interval over the 2,000 images" in text
    assert "harder to optimise" in text


def test_run_it_here_queues_four_runs_and_stop_ends_them(store: Store) -> None:
    app = _open("degradation")
    app.button(key="race-start").click().run()
    assert not app.exception
    runs, names = store.runs(), ("plain-8", "plain-32", "resnet-8", "resnet-32")
    assert {run.config.network.name for run in runs} == {f"{name}:width=8" for name in names}
    assert {run.state for run in runs} == {QUEUED}
    assert {run.config.training for run in runs} == {RECIPES["brief"].training}
    app.button(key="race-stop").click().run()
    assert {run.state for run in store.runs()} == {STOPPED}
    assert app.button(key="race-start")


def test_a_race_rests_and_goes_on(store: Store) -> None:
    app = _open("degradation")
    app.button(key="race-start").click().run()
    store.claim(0)
    app.button(key="race-pause").click().run()
    assert {run.state for run in store.runs()} == {PAUSED}
    assert "Paused" in _text(app)
    order = [run.run for run in sorted(store.runs(), key=lambda run: run.config.network.depth, reverse=True)]
    app.button(key="race-resume").click().run()
    assert not app.exception
    assert {run.state for run in store.runs()} == {QUEUED}
    assert [run.config.network.depth for _ in order if (run := store.claim(0))] == [32, 32, 8, 8]


def test_further_networks_join_the_race_and_stay_out_of_the_verdict(store: Store) -> None:
    for family, depth in ERRORS:
        _finished(store, family, depth)
    app = _open("degradation", also="highway-32")
    assert "24 more layers raise the training error, 40 % → 62 %" in _text(app)
    app.button(key="race-start").click().run()
    assert [run.config.network.name for run in store.runs() if run.state == QUEUED] == ["highway-32:width=8"]


def test_a_further_network_that_does_not_exist_is_one_line() -> None:
    app = _open("degradation", also="highway-33")
    assert not app.exception
    assert "32 and 38" in app.error[0].value


def test_architecture_counts_and_hands_on(store: Store) -> None:
    app = _open("architecture", network="resnet-56:shortcut=B")
    assert not app.exception
    text = _text(app)
    assert "855,770" in text
    assert "2,752 parameters more" in text
    app.button(key="train-start").click().run()
    (run,) = store.runs()
    assert (run.config.network.name, run.state) == ("resnet-56:shortcut=B", QUEUED)


def test_architecture_shows_the_papers_figures_and_does_not_train_imagenet() -> None:
    app = _open("architecture", network="resnet-50@imagenet")
    assert "3,857,973,248" in _text(app)
    assert "the paper (Table 1)" in _text(app)
    assert not [button for button in app.button if button.key == "train-start"]


def test_architecture_has_figure_3_beside_table_1() -> None:
    app = _open("architecture", view="Figure 3 and Table 1")
    assert not app.exception
    assert "19,632,062,464" in _text(app)


def test_the_next_press_adds_a_seed(store: Store) -> None:
    for family, depth in ERRORS:
        _finished(store, family, depth)
    app = _open("degradation")
    assert app.button(key="race-start").label.startswith("Run seed 1 too")
    app.button(key="race-start").click().run()
    assert {run.config.seed for run in store.runs() if run.state == QUEUED} == {1}


def test_a_running_race_says_how_far_it_is(store: Store) -> None:
    app = _open("degradation")
    app.button(key="race-start").click().run()
    run = store.claim(0)
    assert run is not None
    store.set_provenance(run.run, PROVENANCE)
    store.append(run.run, StepRecord(0, 500, 3.2, 1.0, 0.6, 0.05, 900.0, 20.0))
    app.run()
    assert not app.exception
    assert store.run(run.run).state == RUNNING
    (chart,) = app.get("bidi_component")
    status = json.loads(chart.proto.mixed.json or chart.proto.json)["status"]
    assert "900 images/s" in status["text"]
    assert "left" in status["text"]
    assert 0 < status["done"] < 1


def test_gradients_before_training_tell_bn_and_no_bn_apart() -> None:
    app = _open("gradients")
    text = _text(app)
    assert "With BN" in text
    app.select_slider(key="gradients-depth").set_value(8)
    app.selectbox(key="gradients-init").select("small").run(timeout=60)
    (chart,) = app.get("bidi_component")
    figure = json.loads(json.loads(chart.proto.mixed.json or chart.proto.json)["figure"])
    by_name = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert set(by_name) == {"plain-8", "plain-8 without BN", "resnet-8", "resnet-8 without BN"}
    assert max(by_name["plain-8 without BN"]) < min(by_name["plain-8"]) / 100


def test_responses_say_whether_the_papers_statement_holds(store: Store) -> None:
    for family, depth in ERRORS:
        _finished(store, family, depth)
    app = _open("responses")
    text = _text(app)
    assert "residual responses are smaller than plain ones here" in text
    assert "0.80 against 1.00" in text
    assert "longest recording" in " ".join(header.value for header in app.subheader)


def test_lesions_are_asked_for_and_shown_when_they_are_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("explorer.engines.studies.Studies.start", lambda self, arguments: started.append(arguments))
    configs = [_finished(store, family, 8) for family in ("plain", "resnet")]
    for config in configs:
        normalization = prepared(sources.load("shapes"), config.training).normalization
        save(store.checkpoint(config.run), config, build(config.network), normalization)
    app = _open("lesions")
    app.selectbox(key="lesions-first").select(configs[0].run)
    app.selectbox(key="lesions-second").select(configs[1].run).run()
    assert "Not measured yet" in _text(app)
    app.button(key="lesions-start").click().run()
    expected = [["lesions", config.run, "--data", "shapes", "--images", "1000"] for config in configs]
    assert started == expected

    studies = Studies(store.folder / "studies")
    studies.folder.mkdir()
    for arguments, error in zip(expected, (0.9, 0.5), strict=True):
        lesions = [{"blocks": [f"stage{stage}.0"], "error": error} for stage in (1, 2, 3)]
        record = {"kind": "lesions", "seq": 0, "images": 1000, "of": 1000, "whole": 0.4, "lesions": lesions}
        studies._files(arguments)[0].write_text(f"{json.dumps(record)}\n{json.dumps({'run': arguments[1]})}\n")
    app.run()
    assert not app.exception
    text = _text(app)
    assert "without one block the error rises by 50.0 points (median), from 40.0%" in text
    assert "rises by 10.0 points" in text
    assert not [button for button in app.button if button.key == "lesions-start"]


def _two_networks(store: Store) -> list[RunConfig]:
    """A plain and a residual network with weights, of random numbers."""
    configs = []
    for family in ("plain", "resnet"):
        config = _finished(store, family, 8, replace(TINY_TRAINING, train_images=100), width=4)
        images = sources.load("shapes")
        normalization = prepared(images, config.training).normalization
        save(store.checkpoint(config.run), config, build(config.network, seed=5 + (family == "plain")), normalization)
        configs.append(config)
    return configs


def _heatmaps(app: AppTest) -> list[dict]:
    """What the chart of the maps draws."""
    charts = [json.loads(chart.proto.mixed.json or chart.proto.json) for chart in app.get("bidi_component")]
    figures = [json.loads(chart["figure"]) for chart in charts if "figure" in chart]
    return [trace for figure in figures for trace in figure["data"] if trace["type"] == "heatmap"]


def test_attributions_explain_two_networks_side_by_side(store: Store) -> None:
    _two_networks(store)
    app = _open("attributions")
    assert not app.exception
    assert not app.error
    assert "plain-8 says" in _text(app)
    assert "All with width=4." in _text(app)
    assert len(_heatmaps(app)) == 8
    app.selectbox(key="attributions-target").set_value(3).run()
    assert not app.exception


def test_every_method_is_offered_with_its_parameters_and_its_cost(store: Store) -> None:
    _two_networks(store)
    app = _open("attributions")
    app.multiselect(key="attributions-methods").set_value(list(METHODS)).run()
    assert not app.exception
    assert not app.error
    assert len(_heatmaps(app)) == 2 * len(METHODS)
    assert "All maps together take about" in _text(app)
    keys = {element.key for element in (*app.number_input, *app.selectbox)}
    for name, method in METHODS.items():
        assert {f"attributions-{name}-{parameter}" for parameter in method.parameters} <= keys


def test_the_baseline_changes_maps_that_use_one_and_no_others(store: Store) -> None:
    _two_networks(store)
    app = _open("attributions")
    app.multiselect(key="attributions-methods").set_value(["saliency", "deep_lift"]).run()
    before = [trace["customdata"] for trace in _heatmaps(app)]
    app.selectbox(key="attributions-baseline").set_value("zero").run()
    after = [trace["customdata"] for trace in _heatmaps(app)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, False]


def test_images_are_filtered_by_class_and_outcome(store: Store) -> None:
    _two_networks(store)
    app = _open("attributions")
    app.selectbox(key="attributions-filter").set_value("all").run()
    app.selectbox(key="attributions-class").set_value(2).run()
    assert not app.exception
    names = [button.label for button in app.button if (button.key or "").startswith("attributions-all-2-")]
    assert len(names) == 9
    assert set(names) == {sources.load("shapes").classes[2]}


def test_maps_are_tested_on_the_image_and_as_studies(store: Store) -> None:
    _two_networks(store)
    app = _open("attributions")
    assert "as pixels go" in _text(app)
    app.segmented_control(key="attributions-trust").set_value("sanity").run()
    assert not app.exception
    (button,) = [button for button in app.button if button.key == "trust-start"]
    assert button.label.startswith("Measure · about")


def test_a_run_is_renamed_exported_and_deleted(store: Store) -> None:
    config = _finished(store, "plain", 8)
    app = _open("runs")
    assert not app.exception
    assert any("plain-8" in str(frame.value) for frame in app.dataframe)
    store.rename(config.run, "for the lesson")
    app.run()
    assert any("for the lesson" in str(frame.value) for frame in app.dataframe)


@pytest.mark.parametrize("name", [row.name for row in sitemap.PAGES])
def test_a_store_that_cannot_be_used_is_one_line_on_every_page(name: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file" / "home"))
    app = _open(name, **({"view": "Over training"} if name == "gradients" else {}))  # untrained networks need none
    assert not app.exception
    assert "EXPLORER_HOME" in app.error[0].value
    assert app.title[0].value


def test_a_second_server_on_one_store_is_told_so(store: Store) -> None:
    import subprocess
    import sys

    code = (
        "import sys, time; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); "
        "print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.folder / "server.lock")], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        app = _open("degradation")
        other.kill()
    assert "another server" in app.error[0].value
    assert not app.exception
