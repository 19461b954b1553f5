"""The records that pages draw: read once, for all who look, and taken back where a training is."""

from types import SimpleNamespace

import pytest

from explorer.config import RunConfig
from explorer.records import Record, StepRecord
from explorer.runs import Store
from explorer.ui import runs


@pytest.fixture
def asked(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Above which seq the store was asked for records."""
    asked: list[int] = []
    read = store.records

    def records(run: str, after: int = -1) -> list[Record]:
        asked.append(after)
        return read(run, after)

    monkeypatch.setattr(store, "records", records)
    monkeypatch.setattr("explorer.ui.resources.server", lambda: SimpleNamespace(store=store))
    return asked


def _steps(*seqs: int, loss: float = 1.0) -> list[StepRecord]:
    return [StepRecord(seq, 10 * seq, 0.1, loss, 0.5, 0.1, 100.0, 1.0) for seq in seqs]


def test_only_what_is_new_is_read(store: Store, tiny_run: RunConfig, asked: list[int]) -> None:
    store.submit([tiny_run], "shapes")
    run = store.claim(0)
    assert run
    assert runs.records(run) == []
    store.append(run.run, *_steps(0, 1))
    first = runs.records(run)
    assert first == runs.records(run) == _steps(0, 1)
    store.append(run.run, *_steps(2))
    assert runs.records(run) == _steps(0, 1, 2)
    assert first == _steps(0, 1)  # what somebody draws stays as it was
    assert asked == [-1, 1]


def test_what_a_training_repeats_replaces_what_was_read(store: Store, tiny_run: RunConfig, asked: list[int]) -> None:
    store.submit([tiny_run], "shapes")
    run = store.claim(0)
    assert run
    store.append(run.run, *_steps(0, 1, 2))
    assert runs.records(run) == _steps(0, 1, 2)
    store.rewind(run.run, 0)  # by the same attempt
    assert runs.records(run) == _steps(0)
    store.append(run.run, *_steps(1, 2, loss=2.0))
    assert runs.records(run) == [*_steps(0), *_steps(1, 2, loss=2.0)]
    store.recover(0)
    again = store.claim(0)
    assert again
    store.rewind(run.run, 0)
    store.append(run.run, *_steps(1, 2, loss=3.0))  # by the next, before anybody looked
    assert runs.records(run) == [*_steps(0), *_steps(1, 2, loss=3.0)]
    assert asked == [-1, 0, -1]


def test_a_run_that_was_deleted_and_asked_for_again_begins_anew(
    store: Store, tiny_run: RunConfig, asked: list[int]
) -> None:
    for loss in (1.0, 2.0):
        store.submit([tiny_run], "shapes")
        run = store.claim(0)
        assert run
        store.append(run.run, *_steps(0, 1, loss=loss))
        assert runs.records(run) == _steps(0, 1, loss=loss)
        store.stop([run.run])
        store.delete(run.run)
    assert asked == [-1, -1]
