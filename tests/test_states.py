"""A training goes on from its state to the same bits, and a state on disk is whole or not used."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explorer import states
from explorer.config import RunConfig, network
from explorer.data.image_set import ImageSet
from explorer.errors import ExplorerError
from explorer.networks.build import build
from explorer.records import Record, StepRecord
from explorer.training import State, Training
from tests.conftest import TINY_TRAINING
from tests.test_training import numbers

_FEW = replace(TINY_TRAINING, steps=5, batch_size=16)


def _training(run: RunConfig, images: ImageSet, precision: str = "fp32") -> Training:
    return Training(build(run.network, run.seed), images, run.training, seed=run.seed, precision=precision)


def _rest(training: Training) -> list[Record]:
    records = []
    while not training.finished:
        records += training.advance()
    return records


def _equal(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)  # type: ignore[arg-type]
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)  # type: ignore[attr-defined,index]
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))  # type: ignore[arg-type]
    return one == other


def _read(path: Path) -> State | None:
    packed = states.read(path)
    return states.unpack(packed) if packed else None


def _without_times(state: State) -> State:
    return {name: value for name, value in state.items() if name != "seconds"}


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("resnet-8:width=4", _FEW),
        ("plain-8:width=4", replace(_FEW, augmentation="crop+flip", batch_size=30)),
        ("resnet-14:width=4,survival=0.5", _FEW),
        ("resnet-14:width=4,dropout=0.5", _FEW),
        ("skipinit-8:width=4", replace(_FEW, augmentation="none")),
        ("resnet-8:width=4", replace(_FEW, warm_up_steps=0, warm_up_until_error=0.75, warm_up_rate=0.02, steps=8)),
        ("resnet-8:width=4", replace(_FEW, steps=400, batch_size=2, evaluations=1, train_images=7)),
    ],
)
def test_a_training_goes_on_from_any_step_to_the_same_bits(
    name: str, training: object, tiny_images: ImageSet, tmp_path: Path
) -> None:
    run = RunConfig(network(name), training, tiny_images.name, seed=3)  # type: ignore[arg-type]
    whole = _training(run, tiny_images)
    expected = numbers(_rest(whole))
    stops = range(run.training.steps) if run.training.steps < 20 else (0, 1, 201, 398)
    for stop in stops:
        first = _training(run, tiny_images)
        records = [record for _ in range(stop + 1) for record in first.advance()]
        states.write(tmp_path / "run.state", states.pack(first.state()))
        second = _training(replace(run, seed=3), tiny_images)
        kept = _read(tmp_path / "run.state")
        assert kept is not None
        second.restore(kept)
        assert second.seq == records[-1].seq
        assert numbers(records + _rest(second)) == expected
        assert _equal(_without_times(second.state()), _without_times(whole.state()))


def test_times_add_up_over_a_pause(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    first, second = _training(tiny_run, tiny_images), _training(tiny_run, tiny_images)
    for _ in range(3):
        first.advance()
    state = first.state()
    state["seconds"] = [100.0, 0.0]
    second.restore(state)
    steps = [record for record in _rest(second) if isinstance(record, StepRecord)]
    assert 100 < steps[0].seconds < steps[-1].seconds < 110


def test_a_damaged_state_is_noticed_and_the_one_before_used(tmp_path: Path) -> None:
    path = tmp_path / "run.state"
    assert states.read(path) is None
    for done in (1, 2):
        states.write(path, states.pack({"progress": [done], "tensor": torch.full((1000,), float(done))}))
    assert _read(path)["progress"] == [2]  # type: ignore[index]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert _read(path)["progress"] == [1]  # type: ignore[index]
    path.unlink()  # killed between the two renames
    assert _read(path)["progress"] == [1]  # type: ignore[index]
    states.before(path).write_bytes(b"")
    assert states.read(path) is None


def test_a_full_disk_leaves_the_state_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.state"
    states.write(path, states.pack({"progress": [1]}))

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExplorerError, match="make room"):
        states.write(path, states.pack({"progress": [2]}))
    assert _read(path) == {"progress": [1]}
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["run.state"]


@pytest.mark.threat("A file of weights runs code")
def test_a_state_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    """A store may come from somebody else: its states are data, whatever their checksum says."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "made"),)

    states.write(tmp_path / "run.state", states.pack({"progress": Evil()}))
    assert _read(tmp_path / "run.state") is None
    assert not (tmp_path / "made").exists()
