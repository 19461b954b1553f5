"""Every page through AppTest: on an empty store, on one with runs, and where things go wrong."""

from pathlib import Path

import pytest

from explorer.recipes import RECIPES
from explorer.records import StepRecord
from explorer.runs import PAUSED, QUEUED, RAY, RUNNING, STOPPED, Store
from explorer.ui import sitemap
from tests.test_runs import PROVENANCE
from tests.ui.visits import ERRORS, figures, finished, sent, visit, words


@pytest.mark.parametrize("name", [row.name for row in sitemap.PAGES])
def test_every_page_shows_something_before_anything_was_trained(name: str) -> None:
    app = visit(name)
    assert not app.exception
    assert not app.error
    assert app.title[0].value


def test_the_first_screen_has_the_recorded_verdict() -> None:
    app = visit("degradation")
    assert "more layers raise the training error" in words(app)
    assert "recorded" in words(app)
    assert app.button(key="race-start").label.startswith("Run it here")


def test_the_verdict_of_what_ran_here(store: Store) -> None:
    for family, depth in ERRORS:
        finished(store, family, depth)
    text = words(visit("degradation"))
    assert "<b>Plain:</b> 24 more layers raise the training error, 40 % → 62 % (+22 ± 3 points)." in text
    assert "no difference that these runs can show, 38 % → 36 % (−2.0 ± 3.0 points)" in text
    assert "One seed; ± is the 95 % interval over the 2,000 images" in text
    assert "harder to optimise" in text


def test_a_part_of_the_race_is_no_race_that_rests(store: Store) -> None:
    """Networks of one depth alone, as trained from the command line: no verdict, nothing paused."""
    finished(store, "plain", 8)
    finished(store, "resnet", 8)
    app = visit("degradation")
    assert "Of 8 and 32 layers, plain and residual, not all have been trained here." in words(app)
    assert "Paused" not in words(app)
    assert app.button(key="race-start").label.startswith("Run it here")


def test_run_it_here_queues_four_runs_and_stop_ends_them(store: Store) -> None:
    app = visit("degradation")
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
    app = visit("degradation")
    app.button(key="race-start").click().run()
    store.claim(0)
    app.button(key="race-pause").click().run()
    assert {run.state for run in store.runs()} == {PAUSED}
    assert "Paused" in words(app)
    order = [run.run for run in sorted(store.runs(), key=lambda run: run.config.network.depth, reverse=True)]
    app.button(key="race-resume").click().run()
    assert not app.exception
    assert {run.state for run in store.runs()} == {QUEUED}
    assert [run.config.network.depth for _ in order if (run := store.claim(0))] == [32, 32, 8, 8]


def test_further_networks_join_the_race_and_stay_out_of_the_verdict(store: Store) -> None:
    for family, depth in ERRORS:
        finished(store, family, depth)
    app = visit("degradation", also="highway-32")
    assert "24 more layers raise the training error, 40 % → 62 %" in words(app)
    app.button(key="race-start").click().run()
    assert [run.config.network.name for run in store.runs() if run.state == QUEUED] == ["highway-32:width=8"]


def test_a_further_network_that_does_not_exist_is_one_line() -> None:
    app = visit("degradation", also="highway-33")
    assert not app.exception
    assert "32 and 38" in app.error[0].value


def test_architecture_counts_and_hands_on(store: Store) -> None:
    app = visit("architecture", network="resnet-56:shortcut=B")
    assert not app.exception
    text = words(app)
    assert "855,770" in text
    assert "2,752 parameters more" in text
    app.button(key="train-start").click().run()
    (run,) = store.runs()
    assert (run.config.network.name, run.state) == ("resnet-56:shortcut=B", QUEUED)


def test_architecture_shows_the_papers_figures_and_does_not_train_imagenet() -> None:
    app = visit("architecture", network="resnet-50@imagenet")
    assert "3,857,973,248" in words(app)
    assert "the paper (Table 1)" in words(app)
    assert not [button for button in app.button if button.key == "train-start"]


def test_architecture_has_figure_3_beside_table_1() -> None:
    app = visit("architecture", view="table-1")
    assert not app.exception
    assert "19,632,062,464" in words(app)


def test_the_next_press_adds_a_seed(store: Store) -> None:
    for family, depth in ERRORS:
        finished(store, family, depth)
    app = visit("degradation")
    assert app.button(key="race-start").label.startswith("Run seed 1 too")
    app.button(key="race-start").click().run()
    assert {run.config.seed for run in store.runs() if run.state == QUEUED} == {1}


def test_a_running_race_says_how_far_it_is(store: Store) -> None:
    app = visit("degradation")
    app.button(key="race-start").click().run()
    run = store.claim(0)
    assert run is not None
    store.set_provenance(run.run, PROVENANCE)
    store.append(run.run, StepRecord(0, 500, 3.2, 1.0, 0.6, 0.05, 900.0, 20.0))
    app.run()
    assert not app.exception
    assert store.run(run.run).state == RUNNING
    (chart,) = sent(app)
    status = chart["status"]
    assert "900 images/s" in status["text"]
    assert "left" in status["text"]
    assert 0 < status["done"] < 1


def test_gradients_before_training_tell_bn_and_no_bn_apart() -> None:
    app = visit("gradients")
    text = words(app)
    assert "With BN" in text
    app.select_slider(key="gradients-depth").set_value(8)
    app.selectbox(key="gradients-init").select("small").run(timeout=60)
    (figure,) = figures(app)
    by_name = {trace["name"]: trace["y"] for trace in figure["data"]}
    assert set(by_name) == {"plain-8", "plain-8 without BN", "resnet-8", "resnet-8 without BN"}
    assert max(by_name["plain-8 without BN"]) < min(by_name["plain-8"]) / 100


def test_responses_say_whether_the_papers_statement_holds(store: Store) -> None:
    for family, depth in ERRORS:
        finished(store, family, depth)
    app = visit("responses")
    text = words(app)
    assert "residual responses are smaller than plain ones here" in text
    assert "0.80 against 1.00" in text
    assert "longest recording" in " ".join(header.value for header in app.header)


def test_a_run_is_renamed_exported_and_deleted(store: Store) -> None:
    config = finished(store, "plain", 8)
    app = visit("runs")
    assert not app.exception
    assert any("plain-8" in str(frame.value) for frame in app.dataframe)
    store.rename(config.run, "for the lesson")
    app.run()
    assert any("for the lesson" in str(frame.value) for frame in app.dataframe)


@pytest.mark.threat("Errors tell paths and code")
@pytest.mark.parametrize(
    "name", [row.name for row in sitemap.PAGES if row.name not in ("toys", "lesson", "notes")]
)  # which need none
def test_a_store_that_cannot_be_used_is_one_line_on_every_page(name: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file" / "home"))
    views = {"gradients": "over", "related_work": "highway"}  # untrained networks and toys need none
    app = visit(name, **({"view": views[name]} if name in views else {}))
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
        app = visit("degradation")
        other.kill()
    assert "another server" in app.error[0].value
    assert not app.exception


def test_runs_go_to_the_cluster_that_the_server_was_started_with_once_it_is_chosen(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setattr("explorer.engines.ray.RayEngine.tend", lambda self: None)
    app = visit("runs")
    app.segmented_control(key="runs-engine").set_value(RAY).run()
    assert not app.exception
    app.switch_page(str(sitemap.HOME.path)).run()
    app.button(key="race-start").click().run()
    assert (store.queued(RAY), store.queued()) == (4, 0)


@pytest.mark.threat("A visitor points the server at a cluster of their own")
def test_without_a_cluster_there_is_nothing_to_choose(store: Store) -> None:
    assert "runs-engine" not in [one.key for one in visit("runs").segmented_control]
