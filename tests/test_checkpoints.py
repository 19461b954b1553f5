"""A checkpoint gives back the network it was made of, and refuses to be another."""

import errno
import os
from pathlib import Path

import pytest
import torch

from explorer.checkpoints import load, save
from explorer.config import RunConfig, network
from explorer.data.prepared import Normalization
from explorer.errors import ExplorerError, RequestError
from explorer.networks.build import build

NORMALIZATION = Normalization(torch.rand(3, 8, 8), torch.full((3, 1, 1), 0.5))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "run.pt"
    save(path, RunConfig(network("resnet-8")), build(network("resnet-8"), seed=3), NORMALIZATION)
    return path


def test_what_is_saved_is_loaded(checkpoint: Path) -> None:
    config, trained = load(checkpoint)
    assert config == RunConfig(network("resnet-8"))
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    expected = build(network("resnet-8"), seed=3).eval()(NORMALIZATION(images))
    assert torch.equal(trained.network(trained.normalization(images)), expected)
    assert not trained.network.training


def test_a_damaged_checkpoint_is_one_line(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:2000])
    with pytest.raises(RequestError) as raised:
        load(checkpoint)
    assert "\n" not in str(raised.value)


def test_a_failed_write_leaves_the_old_checkpoint(checkpoint: Path, monkeypatch) -> None:
    before = checkpoint.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExplorerError, match="make room"):
        save(checkpoint, RunConfig(network("resnet-8")), build(network("resnet-8")), NORMALIZATION)
    assert checkpoint.read_bytes() == before
    assert [path.name for path in checkpoint.parent.iterdir() if path.is_file()] == ["run.pt"]
