"""Studies: made once, read while they are made, stopped at once, their failures told."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest

from explorer.engines import studies as module
from explorer.engines.studies import DONE, FAILED, RUNNING, Studies
from explorer.errors import RequestError
from explorer.network_config import is_entry
from explorer.recordings import Library

SLOW = (
    "import json, sys, time\nfor i in range(2): print(json.dumps({'kind': 'k', 'seq': i}), flush=True)\ntime.sleep(60)"
)


@pytest.fixture
def studies(tmp_path: Path) -> Iterator[Studies]:
    made = Studies(tmp_path / "home" / "studies")
    yield made
    for process in made._processes.values():
        process.kill()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the command, one that says two records and then takes its time."""
    popen = module.subprocess.Popen
    monkeypatch.setattr(
        module.subprocess, "Popen", lambda _command, **options: popen([sys.executable, "-c", SLOW], **options)
    )


def _until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_study_is_what_its_command_prints_and_is_made_once(studies: Studies) -> None:
    run = Library().runs()[0]
    arguments = ["responses", run.run]
    assert studies.get(arguments) is None
    studies.start(arguments)
    _until(lambda: studies.get(arguments).state == DONE)
    result = studies.get(arguments).result
    assert result["runs"][0]["run"] == run.run
    assert len(result["runs"][0]["responses"]) == run.config.network.depth - 1
    studies.start(arguments)
    assert len(studies._processes) == 1
    assert Studies(studies.folder).get(arguments).result == result, "another server finds it"


def test_what_fails_says_why_in_one_line_and_can_be_tried_again(studies: Studies) -> None:
    arguments = ["responses", "0000"]
    studies.start(arguments)
    _until(lambda: studies.get(arguments).state == FAILED)
    assert "no run '0000'" in studies.get(arguments).message
    assert "\n" not in studies.get(arguments).message
    studies.start(arguments)
    assert studies.get(arguments).state == RUNNING


def test_records_are_read_while_it_is_made_and_a_stop_leaves_nothing(studies: Studies, slow: None) -> None:
    studies.start(["a"])
    _until(lambda: len(studies.get(["a"]).records) == 2)
    assert studies.get(["a"]).state == RUNNING
    process = next(iter(studies._processes.values()))
    studies.stop(["a"])
    assert process.poll() is not None
    assert studies.get(["a"]) is None
    assert not list(studies.folder.iterdir())


@pytest.mark.threat("A visitor stops another's measurement or maps")
def test_a_study_goes_on_until_the_last_who_wants_it_stops_it(studies: Studies, slow: None) -> None:
    studies.start(["a"], asker="ada")
    studies.start(["a"], asker="ben")
    assert len(studies._processes) == 1
    assert studies.wanted_by(["a"]) == {"ada", "ben"}
    studies.stop(["a"], {"ada"})
    assert studies.get(["a"]).state == RUNNING
    with pytest.raises(RequestError, match="another's"):
        studies.stop(["a"], {"ada", "eve"})
    assert studies.wanted_by(["a"]) == {"ben"}
    studies.stop(["a"], {"ben"})
    assert studies.get(["a"]) is None
    assert studies.wanted_by(["a"]) == set()
    studies.start(["a"], asker="eve")
    assert studies.wanted_by(["a"]) == {"eve"}, "begun anew, it is nobody else's"


@pytest.mark.threat("Somebody floods the queue")
def test_no_more_than_two_are_made_at_once(studies: Studies, slow: None) -> None:
    for name in ("a", "b"):
        studies.start([name])
    with pytest.raises(RequestError, match="wait for one of them"):
        studies.start(["c"])
    studies.stop(["a"])
    studies.start(["c"])


def test_one_whose_maker_is_gone_can_be_begun_again(studies: Studies, slow: None) -> None:
    studies.start(["a"])
    _until(lambda: len(studies.get(["a"]).records) == 2)
    after_restart = Studies(studies.folder)
    assert after_restart.get(["a"]) is None
    after_restart.start(["a"])
    _until(lambda: len(after_restart.get(["a"]).records) == 2)
    after_restart.stop(["a"])


def test_a_line_half_written_is_not_read(studies: Studies) -> None:
    studies.folder.mkdir(parents=True)
    output, _ = studies._files(["a"])
    output.write_text(json.dumps({"kind": "k"}) + "\n" + '{"runs": [')
    assert studies.get(["a"]) is None
    output.write_text(json.dumps({"kind": "k"}) + "\n" + '{"runs": []}\n')
    assert studies.get(["a"]).result == {"runs": []}


def test_what_ships_is_found_wherever_the_images_are(studies: Studies, tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    line = {"kind": "k", "done": 1, "of": 1}
    (shipped / f"{module.key(['a', 'b'])}.jsonl").write_text(f"{json.dumps(line)}\n{json.dumps({'run': 'a'})}\n")
    found = Studies(studies.folder, shipped).get(["a", "b"])
    assert (found.state, found.records, found.result, found.recorded) == (DONE, [line], {"run": "a"}, True)
    assert Studies(studies.folder, shipped).get(["a", "c"]) is None


def test_how_far_it_is_tells_what_remains(studies: Studies) -> None:
    assert module.Study(RUNNING, [{"done": 1, "of": 4}], None, "", seconds=10).remaining == 30
    assert module.Study(RUNNING, [], None, "", seconds=10).remaining is None
    assert module.Study(DONE, [], {}, "").share == 1


@pytest.mark.parametrize(("network", "low", "high"), [("plain-56", 0.20, 1.0), ("resnet-56", -1.0, 0.03)])
def test_what_ships_says_that_residual_networks_bear_a_lesion(
    network: str, low: float, high: float, tmp_path: Path
) -> None:
    """Veit et al. 2016: the median over the blocks that keep the shape, of the longest recordings."""
    runs = [
        run for run in Library().runs() if run.config.network.name == network and run.config.training.steps == 16_000
    ]
    study = Studies(tmp_path).get(["lesions", runs[0].run, "--images", "1000"])
    assert study
    last = study.records[-1]
    kept = [lesion["error"] for lesion in last["lesions"] if not is_entry(lesion["blocks"][0])]
    assert len(kept) == 25
    assert low < median(kept) - last["whole"] < high
