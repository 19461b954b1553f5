"""The command line is a contract: JSON lines on stdout, one clear line on stderr, exit status 0, 1 or 2."""

import json
import re
import subprocess
import sys
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch

from explorer import recordings
from explorer.__main__ import main
from explorer.config import RunConfig, network
from explorer.data import sources
from explorer.engines.local import LocalEngine
from explorer.home import home
from explorer.networks.build import build
from explorer.recordings import Library
from explorer.runs import Store

ROOT = Path(__file__).resolve().parents[1]
TINY = [
    *("--set", "steps=20", "--set", "warm_up_steps=4", "--set", "image_size=8", "--set", "train_images=100"),
    *("--set", "test_images=50", "--set", "clean_images=50", "--set", "evaluations=2"),
]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    """Run a command in this process: exit status, JSON lines of stdout, stderr."""

    def call(*arguments: str) -> tuple[int, list[dict], str]:
        try:
            status = main([*arguments, "--json"])
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return status, [json.loads(line) for line in captured.out.splitlines()], captured.err

    return call


def test_a_run_is_paused_stopped_and_resumed_by_its_identity(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalEngine, "tend", lambda _self: None)
    (run,) = Store(home()).submit([RunConfig(network("resnet-8"), data="shapes@1")], "shapes")
    for command, state in (("pause", "paused"), ("resume", "queued"), ("stop", "stopped"), ("resume", "queued")):
        assert call("runs", command, run)[:2] == (0, [{"run": run, "state": state}])
    Store(home()).stop([run])
    status, _, said = call("runs", "pause", run)
    assert (status, said.count("\n")) == (2, 1)
    assert f"run {run} is stopped: it cannot pause" in said
    assert call("runs", "resume", "nonsense")[0] == 2


@pytest.mark.parametrize(("name", "parameters"), [("resnet-56", 853_018), ("plain-1202", 19_421_274)])
def test_summary(call, name: str, parameters: int) -> None:
    status, (result,), _ = call("summary", name)
    assert status == 0
    assert (result["network"], result["parameters"]) == (name, parameters)
    assert result["twin"]["same"]
    assert {"macs", "weighted_layers", "stages"} <= result.keys()


def test_doctor_says_what_there_is(call) -> None:
    status, (result,), _ = call("doctor")
    assert status == 0
    assert {"device", "data", "store", "versions", "missing"} <= result.keys()
    assert result["versions"]["torch"]


def test_data_info(call) -> None:
    status, (result,), _ = call("data", "info", "--data", "shapes")
    assert status == 0
    assert result["name"].startswith("shapes@")


def test_commands_take_the_images_that_the_server_takes(call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_DATA", "shapes-cluttered")
    assert call("data", "info")[1][0]["name"].startswith("shapes-cluttered@")
    assert call("data", "info", "--data", "shapes")[1][0]["name"].startswith("shapes@")
    monkeypatch.setenv("EXPLORER_DATA", "")
    assert call("data", "info")[1][0]["name"].startswith("shapes@")


def test_a_race_and_all_that_can_be_done_with_its_runs(call, tmp_path: Path) -> None:
    race = ("race", "--data", "shapes", "--depths", "8,14", *TINY)
    status, lines, _ = call(*race)
    assert status == 0
    *records, result = lines
    assert {record["kind"] for record in records} == {"step", "evaluation"}
    names = ("plain-14", "resnet-14", "plain-8", "resnet-8")
    assert [row["network"] for row in result["runs"]] == [f"{name}:width=8" for name in names]
    assert result["verdict"].keys() == {"plain", "resnet"}
    low, high = result["verdict"]["plain"]["ci95"]
    assert low <= result["verdict"]["plain"]["gap"] <= high
    assert isinstance(result["verdict"]["plain"]["degrades"], bool)
    last = {record["run"]: record["training_error"] for record in records if record["kind"] == "evaluation"}
    assert {row["run"]: row["training_error"] for row in result["runs"]} == last

    status, lines, _ = call(*race)
    assert (status, lines[-1]["runs"]) == (0, result["runs"])

    run = result["runs"][0]["run"]
    _, (listed,), _ = call("runs", "list")
    (row,) = [row for row in listed["runs"] if row["run"] == run]
    assert row["state"] == "done"
    assert row["provenance"]["origin"] == "live"
    assert row["training_error"] == result["runs"][0]["training_error"]

    _, (shown,), _ = call("runs", "show", run)
    assert shown["records"][0]["kind"] == "evaluation"

    _, (evaluated,), _ = call("evaluate", run, "--data", "shapes")
    assert evaluated["images"] == 2000
    assert 0 <= evaluated["top5_error"] <= evaluated["error"] <= 1

    _, (measured,), _ = call("measure", "responses", run)
    assert len(measured["runs"][0]["responses"]) == 13

    _, (measured,), _ = call("measure", "gradients", run)
    assert all(layer["norm"] > 0 for layer in measured["runs"][0]["gradients"])

    status, lines, _ = call("measure", "lesions", run, "--data", "shapes", "--images", "300")
    assert (status, [line.get("kind") for line in lines]) == (0, ["lesions", "lesions", None])
    assert [lesion["blocks"] for lesion in lines[-1]["lesions"]][:2] == [["stage1.0"], ["stage1.1"]]
    _, lines, _ = call(
        "measure", "lesions", run, "--data", "shapes", "--images", "50", "--remove", "0,2", "--draws", "1"
    )
    assert lines[-1]["lesions"][0]["error"] == lines[-1]["whole"]
    assert len(lines[-1]["lesions"][1]["blocks"]) == 2

    _, (made,), _ = call("measure", "constructed", run, "--depth", "32", "--data", "shapes", "--images", "200")
    assert made["deep"] == made["shallow"]
    assert made["largest_logit_difference"] == 0
    assert made["constructed"] == "plain-32:width=8"
    assert call("measure", "constructed", run, "--depth", "8", "--data", "shapes")[0] == 2

    out = tmp_path / "maps"
    status, (explained,), error = call(
        "attribute", run, result["runs"][1]["run"], "--image", "3", "--method", "saliency", "--out", str(out)
    )
    assert (status, error) == (0, "")
    assert len(explained["maps"]) == 2
    assert np.load(explained["maps"][0]["files"][0]).shape == (8, 8)
    asked = ("attribute", run, "--image", "3", "--method", "integrated_gradients", "--out", str(out))
    _, (explained,), _ = call(*asked, "--set", "steps=20", "--set", "tolerance=0.0", "--baseline", "blurred")
    (entry,) = explained["maps"]
    assert (entry["parameters"], entry["baseline"]) == ({"steps": 20, "tolerance": 0.0}, "blurred")
    assert call(*asked, "--baseline", "grey")[0] == 2
    assert call(*asked, "--set", "steps")[0] == 2
    assert call(*asked, "--set", "window=0.5")[0] == 2
    assert call(*asked, "--set", "watch=1")[0] == 2

    asked = ("measure", "quality", run, "--data", "shapes", "--images", "2", "--method", "deep_lift")
    _, lines, _ = call(*asked)
    assert [line.get("kind") for line in lines] == ["quality", "quality", None]
    assert set(lines[-1]["methods"]["deep_lift"]) == {
        "completeness", "infidelity", "sensitivity", "deletion", "insertion", "smoothness"
    }  # fmt: skip
    assert call(*asked, "--method", "guess")[0] == 2
    _, lines, _ = call("measure", "sanity", run, "--data", "shapes", "--images", "2", "--method", "saliency")
    layers = [line["layer"] for line in lines[:-1]]
    assert (layers[:2], layers[-2:]) == (["", "head"], ["stage1.0", "conv"])
    asked = ("measure", "means", run, "--data", "shapes", "--images", "6", "--method", "saliency")
    _, lines, _ = call(*asked, "--label", "2")
    assert [line.get("done") for line in lines] == [4, 6, None]
    assert np.mean(lines[-1]["maps"]["saliency"]) == pytest.approx(1, abs=1e-3)
    assert call(*asked, "--label", "unicorn")[0] == 2
    _, lines, _ = call("measure", "noise", run, run, "--data", "shapes", "--images", "20")
    assert [line.get("done") for line in lines] == [16, 20, 36, 40, None]
    first, second = lines[-1]["networks"]
    assert first == second
    assert first["smoothness"]["low"] <= first["smoothness"]["mean"] <= first["smoothness"]["high"]

    status, (exported,), _ = call("runs", "export", run, "--out", str(tmp_path))
    assert status == 0
    assert call("runs", "delete", run)[0] == 0
    assert call("runs", "show", run)[0] == 2
    status, (imported,), _ = call("runs", "import", exported["file"])
    assert (status, imported["run"]) == (0, run)
    assert call("runs", "show", run)[1][0]["records"] == shown["records"]
    assert call("evaluate", run, "--data", "shapes")[1][0]["error"] == evaluated["error"]


def test_a_race_reads_the_images_while_its_workers_start(call, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Event()
    monkeypatch.setattr(LocalEngine, "tend", lambda _self: read.wait(60) and Store(home()).stop(Store(home()).queue()))
    load = sources.load
    monkeypatch.setattr(sources, "load", lambda *asked: (load(*asked), read.set()))
    status, _, said = call("race", *TINY, "--depths", "8,14", "--data", "shapes")
    assert read.is_set()
    assert (status, said.count("\n")) == (1, 1)
    assert list((home() / "data" / "decoded").glob("shapes*"))


def test_a_list_of_runs_reads_each_recording_once(call, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    unpack = recordings.unpack
    monkeypatch.setattr(recordings, "unpack", lambda content, name: read.append(name) or unpack(content, name))
    _, (listed,), _ = call("runs", "list")
    assert sorted(read) == sorted(file.name for file in recordings.SHIPPED.glob("*.recording"))
    assert len(listed["runs"]) == len(read) > 10


def test_weights_of_others_are_evaluated_taken_in_and_exported(call, tmp_path: Path) -> None:
    state = build(network("resnet-8"), seed=4).state_dict()
    usual = {name.replace("stage", "layer").replace("head.", "linear."): value for name, value in state.items()}
    usual = {re.sub(r"^(conv|bn)\.", r"\g<1>1.", name): value for name, value in usual.items()}
    file = tmp_path / "resnet8.th"
    torch.save({"state_dict": {f"module.{name}": value for name, value in usual.items()}}, file)

    status, (found,), _ = call("evaluate", "--weights", str(file), "--network", "resnet-8", "--normalize", "imagenet",
                               "--data", "shapes")  # fmt: skip
    assert (status, found["matched"], found["images"]) == (0, "names", 2000)
    assert found["network"] in ("resnet-8", "resnet-8:zeros=around")
    assert "zeros=after" in found["notes"][-1]

    status, (taken,), _ = call("runs", "import", str(file), "--data", "shapes", "--normalize", "imagenet")
    assert (status, taken["network"]) == (0, found["network"])
    _, (row,), _ = call("runs", "show", taken["run"])
    assert (row["state"], row["provenance"]["origin"]) == ("done", "imported")
    assert call("evaluate", taken["run"], "--data", "shapes")[1][0]["error"] == found["error"]
    assert len(call("measure", "responses", taken["run"])[1][0]["runs"][0]["responses"]) == 7

    status, (exported,), _ = call("export", taken["run"], "--out", str(tmp_path / "out"))
    assert status == 0
    written = torch.load(tmp_path / "out" / "weights.pt", weights_only=True)["state_dict"]
    assert torch.equal(written["head.weight"], state["head.weight"])
    assert any(name.endswith(".py") for name in exported["files"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("summary", "resnet-21"), "20 and 26"),
        (("summary", "alexnet"), "unknown network"),
        (("summary", "plain-20:shortcut=B"), "no shortcut"),
        (("summary",), "required"),
        (("fly",), "invalid choice"),
        (("race", "--depths", "8"), "two depths"),
        (("race", "--depths", "8,9", "--data", "shapes"), "nearest"),
        (("race", "--depths", "8,8", "--data", "shapes"), "must differ"),
        (("race", "--depths", "deep"), "whole numbers"),
        (("race", "--families", "plain,highway", "--data", "shapes"), "unknown family"),
        (("race", "--recipe", "quick"), "unknown recipe"),
        (("race", "--recipe", "nowhere.toml"), "cannot read"),
        (("race", "--set", "steps=0"), "steps is 0"),
        (("race", "--data", "/nowhere"), "/nowhere"),
        (("train", "plain-8", "--seeds", "one"), "whole numbers"),
        (("train", "plain-8", "--seeds", "-1", "--data", "shapes"), "seed is -1"),
        (("runs", "show", "ffff"), "no run"),
        (("runs", "import", "nowhere.recording"), "cannot read"),
        (("evaluate",), "either a RUN or"),
        (("evaluate", "--weights", "nowhere.pt"), "cannot read"),
        (("evaluate", "--weights", "pyproject.toml", "--network", "resnet-20"), "safe to read"),
        (("runs", "import", "nowhere.pt", "--network", "resnet-20"), "cannot read"),
        (("summary", "resnet-34"), "resnet-34@imagenet"),
        (("train", "vgg-19", "--data", "shapes"), "counted and drawn"),
        (("train", "resnet-1202:width=256", "--data", "shapes"), "GB of memory"),
        (("export", "googlenet", "--out", "."), "torchvision"),
        (("export", "resnet-21", "--out", "."), "20 and 26"),
        (("evaluate", "--weights", "nowhere.pt", "--network", "plain-8"), "cannot read"),
        (("sweep", "dropout", "--networks", "plain-8", "--out", "/nowhere/x.json", "--data", "shapes"), "no folder"),
        (("reproduce", "cifar", "--budget-minutes", "nan", "--data", "shapes"), "--budget-minutes"),
        (("measure", "surface", "{shipped}", "--reach", "inf", "--data", "shapes"), "--reach"),
        (("measure", "lesions", "{shipped}", "--remove", "99", "--data", "shapes"), "can be taken away"),
        (("measure", "lesions", "{shipped}", "--remove=-1", "--data", "shapes"), "write 0 to 1000"),
        (("measure", "lesions", "{shipped}", "--swap", "1", "--draws", "0", "--data", "shapes"), "write 1 or more"),
        (("measure", "lesions", "{shipped}", "--step", "0", "--data", "shapes"), "after 0 steps were not kept"),
        (("measure", "multigrid", "--intervals", "4294967296"), "65,536 at most"),
        (("measure", "encodings", "--words", "1000000", "--data", "shapes"), "1024 at most"),
    ],
)
def test_a_wrong_request_is_one_clear_line_and_status_2(call, arguments: tuple[str, ...], says: str) -> None:
    shipped = next(run.run for run in Library().runs() if run.config.network.name == "resnet-8")
    status, lines, error = call(*(part.replace("{shipped}", shipped) for part in arguments))
    assert (status, lines) == (2, [])
    assert says in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_images_that_are_no_data_set_are_refused(call, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    status, _, error = call("race", "--data", str(tmp_path))
    assert status == 2
    assert error.count("\n") == 1


def test_a_store_that_cannot_be_used_is_one_line_and_status_1(call, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file" / "home"))
    status, _, error = call("runs", "list")
    assert (status, error.count("\n")) == (1, 1)
    assert "EXPLORER_HOME" in error


def test_the_module_runs_as_a_program_and_ends_with_the_status() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "explorer", "summary", "resnet-21"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1


def test_a_sweep_trains_every_value_and_writes_what_came_of_it(call, tmp_path: Path) -> None:
    from explorer.sweep import unpacked

    kept = tmp_path / "kept.jsonl"
    networks = ("--networks", "plain-8:width=4,bn=off,resnet-8:width=4", "--values", "64,96", "--data", "shapes")
    status, lines, _ = call("sweep", "train_images", *networks, "--out", str(kept), *TINY)
    assert status == 0
    result = lines[-1]
    assert result["factor"] == "train_images"
    assert result["failed"] == []
    assert {name: [point["value"] for point in points] for name, points in result["points"].items()} == {
        "plain-8:width=4,bn=off": [64, 96], "resnet-8:width=4": [64, 96],
    }  # fmt: skip
    recorded = unpacked(kept.read_text(), "kept")
    assert [last.test_error for _, last in recorded.results] == [row["test_error"] for row in result["runs"]]
    assert {config.training.train_images for config, _ in recorded.results} == {64, 96}

    status, _, err = call("sweep", "luck", "--data", "shapes", *TINY)
    assert status == 2
    assert "choose one of train_images" in err
    status, _, err = call("sweep", "dropout", "--values", "much", "--data", "shapes", *TINY)
    assert status == 2
    assert "a number is needed" in err
