"""The store keeps what it was given, whatever happens."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.config import RunConfig
from explorer.errors import ExplorerError, RequestError
from explorer.records import EvaluationRecord, LayerResponse, Provenance, StepRecord
from explorer.runs import DONE, FAILED, PAUSED, QUEUED, RUNNING, STOPPED, Store

PROVENANCE = Provenance("live", "2 CPU cores", "fp32", "2026-01-01T00:00:00+00:00", {"torch": "2"}, "shapes", 3.0)
STEP = StepRecord(1, 1, 0.2, 2.3, 0.9, 0.1, 100.0, 0.5)
EVALUATION = EvaluationRecord(0, 0, 0.0, 0.9, 20, 0.9, 0.5, 20, (LayerResponse("conv", 1.0, 1.0),), 0.1)


def test_records_come_back_as_they_were(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    assert store.run(run).state == QUEUED
    assert store.run(run).config == tiny_run
    claimed = store.claim(slot=0)
    assert claimed is not None
    assert claimed.run == run
    store.append(run, EVALUATION)
    store.append(run, STEP)
    store.append(run, STEP)
    assert store.records(run) == [EVALUATION, STEP]
    assert store.records(run, after=0) == [STEP]
    assert (store.last(run, StepRecord), store.last(run, EvaluationRecord)) == (STEP, EVALUATION)
    assert store.last("another", StepRecord) is None
    store.set_provenance(run, PROVENANCE)
    store.finish(run, DONE)
    again = Store(store.folder).run(run)
    assert (again.state, again.provenance) == (DONE, PROVENANCE)


def test_runs_are_claimed_in_turn_and_once(store: Store, tiny_run: RunConfig) -> None:
    configs = [replace(tiny_run, seed=seed) for seed in (5, 3, 4)]
    store.submit(configs, "shapes")
    claimed = [run.config.seed for slot in range(3) if (run := store.claim(slot))]
    assert claimed == [5, 3, 4]
    assert store.claim(3) is None


def test_many_claim_at_once_and_each_gets_its_own(store: Store, tiny_run: RunConfig) -> None:
    store.submit([replace(tiny_run, seed=seed) for seed in range(20)], "shapes")
    got: list[int] = []

    def work(slot: int) -> None:
        while run := store.claim(slot):
            got.append(run.config.seed)

    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(20))


def test_the_same_config_is_not_queued_twice(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    store.claim(0)
    store.append(run, EVALUATION)
    store.finish(run, DONE)
    assert store.submit([tiny_run], "shapes") == [run]
    assert store.run(run).state == DONE
    assert store.records(run) == [EVALUATION]


@pytest.mark.parametrize("state", [STOPPED, FAILED])
def test_what_was_stopped_or_failed_can_be_asked_for_again(store: Store, tiny_run: RunConfig, state: str) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    store.claim(0)
    if state == FAILED:
        store.finish(run, FAILED, "why")
        assert store.run(run).message == "why"
    else:
        store.stop([run])
    assert store.run(run).state == state
    store.submit([tiny_run], "shapes")
    assert (store.run(run).state, store.run(run).message) == (QUEUED, "")


def test_a_stopped_run_is_no_longer_held_and_stays_stopped(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    store.claim(1)
    assert store.held_as(run, 1) == RUNNING
    assert store.held_as(run, 0) is None
    store.stop([run])
    assert store.held_as(run, 1) == STOPPED
    store.finish(run, DONE)
    assert store.run(run).state == STOPPED


def test_a_paused_run_goes_to_the_end_of_the_queue_when_it_is_resumed(store: Store, tiny_run: RunConfig) -> None:
    first, second, third = store.submit([replace(tiny_run, seed=seed) for seed in range(3)], "shapes")
    store.claim(0)
    store.append(first, EVALUATION, STEP)
    store.pause([first, second])
    assert [store.run(run).state for run in (first, second, third)] == [PAUSED, PAUSED, QUEUED]
    assert store.records(first) == [EVALUATION, STEP]
    store.resume([second, first])
    assert [run.run for slot in range(3) if (run := store.claim(slot))] == [third, second, first]
    store.rewind(first, EVALUATION.seq)
    assert store.records(first) == [EVALUATION]


def test_what_is_done_can_be_neither_paused_nor_resumed(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    store.claim(0)
    store.pause([run])
    store.finish(run, DONE)  # its worker had just taken the last step
    for move in (store.pause, store.resume, store.stop):
        move([run])
        assert store.run(run).state == DONE


def test_a_run_that_yields_its_turn_comes_after_all_that_wait(store: Store, tiny_run: RunConfig) -> None:
    long, other = store.submit([replace(tiny_run, seed=seed) for seed in range(2)], "shapes")
    store.claim(0)
    store.yield_turn(long)
    assert [run.run for slot in range(2) if (run := store.claim(slot))] == [other, long]
    store.stop([long])
    store.yield_turn(long)
    assert store.run(long).state == STOPPED


def test_deaths_count_only_while_a_run_gets_no_further(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    for death in range(7):
        store.claim(0)
        if death % 2:
            store.got_further(run)
        store.recover(0)
        assert store.run(run).state == QUEUED
    for _ in range(2):
        store.claim(0)
        store.recover(0)
    assert store.run(run).state == FAILED
    store.resume([run])
    assert (store.run(run).state, store.run(run).message) == (QUEUED, "")


def test_a_store_of_version_1_is_upgraded_once(tmp_path: Path, tiny_run: RunConfig) -> None:
    (run,) = Store(tmp_path).submit([tiny_run], "shapes")
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as connection:
        for column in ("deaths", "engine", "asker", "served"):
            connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")
    for _ in range(2):
        store = Store(tmp_path)
        assert store.run(run).config == tiny_run
    store.claim(0)
    store.recover(0)
    assert store.run(run).state == QUEUED


def test_the_states_of_a_run_go_when_it_is_deleted(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    store.stop([run])
    for suffix in ("state", "before", "state.unfinished"):
        (store.checkpoints / f"{run}.{suffix}").write_bytes(b"state")
    store.delete(run)
    assert list(store.checkpoints.iterdir()) == []


def test_what_a_dead_worker_left_goes_back_to_the_queue_three_times_at_most(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    for _ in range(2):
        store.claim(0)
        store.recover(1)
        assert store.run(run).state == RUNNING
        store.recover(0)
        assert store.run(run).state == QUEUED
    store.claim(0)
    store.recover(0)
    assert store.run(run).state == FAILED
    assert "died 3 times" in store.run(run).message


def test_a_writer_killed_in_the_middle_leaves_whole_records(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    code = f"""
from dataclasses import replace
from pathlib import Path
from explorer.runs import Store
from tests.test_runs import STEP
store, seq = Store(Path({str(store.folder)!r})), 0
print("go", flush=True)
while True:
    seq += 1
    store.append({run!r}, replace(STEP, seq=seq))
"""
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    while len(store.records(run)) < 20:
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    records = Store(store.folder).records(run)
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    store.append(run, EVALUATION)
    assert store.records(run)[0] == EVALUATION


def test_rename_and_delete(store: Store, tiny_run: RunConfig) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    assert store.run(run).label == "resnet-8:width=4 · seed 0"
    store.rename(run, " mine ")
    assert store.run(run).label == "mine"
    with pytest.raises(RequestError, match="stop it before"):
        store.delete(run)
    store.stop([run])
    store.checkpoint(run).write_bytes(b"weights")
    store.append(run, STEP)
    store.delete(run)
    assert store.get(run) is None
    assert store.records(run) == []
    assert not store.checkpoint(run).exists()
    with pytest.raises(RequestError, match="no run"):
        store.run(run)


def test_a_store_that_is_no_store_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite").write_text("this is not a database, and long enough to be read as one " * 20)
    with pytest.raises(ExplorerError, match="cannot be used") as raised:
        Store(tmp_path)
    assert "\n" not in str(raised.value)
    assert "EXPLORER_HOME" in str(raised.value)


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    Store(tmp_path)
    connection = sqlite3.connect(tmp_path / "runs.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ExplorerError, match="newer version"):
        Store(tmp_path)


def test_a_full_disk_is_one_line_and_loses_nothing(store: Store, tiny_run: RunConfig, monkeypatch) -> None:
    (run,) = store.submit([tiny_run], "shapes")
    store.append(run, EVALUATION)
    connect = sqlite3.connect

    def small(*arguments: object, **options: object) -> sqlite3.Connection:
        connection = connect(*arguments, **options)  # type: ignore[call-overload]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)

    def fill() -> None:
        for seq in range(1, 2000):
            store.append(run, replace(STEP, seq=seq))

    with pytest.raises(ExplorerError, match="full"):
        fill()
    records = Store(store.folder).records(run)  # a full store can still be opened and read
    monkeypatch.undo()
    assert records[0] == EVALUATION
    assert [record.seq for record in records] == list(range(len(records)))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExplorerError, match="EXPLORER_HOME"):
        Store(tmp_path / "home")


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(ExplorerError, match="EXPLORER_HOME"):
        Store(tmp_path / "home")
