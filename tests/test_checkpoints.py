"""A checkpoint gives back the network it was made of, and refuses to be another."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from explorer.checkpoints import load, save, to_safetensors, weights_file
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


@pytest.mark.parametrize("name", ["resnet-14", "resnet-8:width=8", "resnet-8:shortcut=C", "resnet-8:classes=5"])
def test_weights_of_another_network_are_refused(checkpoint: Path, name: str) -> None:
    with pytest.raises(RequestError, match="another network") as raised:
        weights_file(checkpoint, network(name))
    assert "\n" not in str(raised.value)


def test_a_twin_has_the_same_weights(checkpoint: Path) -> None:
    assert weights_file(checkpoint, network("plain-8")).network.config == network("plain-8")


def test_weights_come_from_safetensors_and_from_a_data_parallel_state_dict(checkpoint: Path, tmp_path: Path) -> None:
    _, trained = load(checkpoint)
    (tmp_path / "w.safetensors").write_bytes(to_safetensors(trained))
    state = trained.network.state_dict()
    save_file(state, tmp_path / "bare.safetensors")
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "w.th")
    for file in ("w.safetensors", "bare.safetensors", "w.th"):
        again = weights_file(tmp_path / file, network("resnet-8"))
        assert torch.equal(again.network.head.weight, trained.network.head.weight)
    assert torch.equal(
        weights_file(tmp_path / "w.safetensors", network("resnet-8")).normalization.mean, NORMALIZATION.mean
    )


def test_what_is_no_file_of_weights_is_one_line(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "half.pt").write_bytes(checkpoint.read_bytes()[:2000])
    (tmp_path / "text.safetensors").write_text("hello")
    torch.save([1, 2], tmp_path / "list.pt")
    for file in ("text.pt", "half.pt", "text.safetensors", "list.pt", "missing.pt", "missing.safetensors"):
        with pytest.raises(RequestError) as raised:
            weights_file(tmp_path / file, network("resnet-8"))
        assert "\n" not in str(raised.value)
        assert file in str(raised.value)


def test_a_failed_write_leaves_the_old_checkpoint(checkpoint: Path, monkeypatch) -> None:
    before = checkpoint.read_bytes()

    def full(*_arguments: object) -> None:
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ExplorerError, match="make room"):
        save(checkpoint, RunConfig(network("resnet-8")), build(network("resnet-8")), NORMALIZATION)
    assert checkpoint.read_bytes() == before
