"""What a training takes, by hand."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from explorer import device
from explorer.config import RunConfig, TrainingConfig, network
from explorer.errors import RequestError
from explorer.memory import check_training, must_recompute, training_bytes
from explorer.networks import build
from explorer.summary import summary
from explorer.training import train
from tests.conftest import TINY_TRAINING

CONFIG = RunConfig(network("plain-8"), replace(TrainingConfig(), batch_size=64))


def test_training_takes_the_weights_three_times_and_every_output_once() -> None:
    by_size = {32: 16, 16: 32, 8: 64}
    # three outputs (convolution, BN, ReLU) of the stem and of two layers a stage, the pooled channels, the logits
    outputs = 3 * (16 * 32**2 + 2 * sum(channels * size**2 for size, channels in by_size.items())) + 64 + 10
    assert training_bytes(CONFIG) == 4 * (3 * 75_290 + 64 * outputs)


@pytest.mark.threat("A training eats the memory")
def test_a_training_that_does_not_fit_says_what_it_takes() -> None:
    deep = replace(CONFIG, network=network("plain-110"))
    whole, least = training_bytes(deep), training_bytes(deep, recompute=True)
    assert not must_recompute(deep, free=whole)
    assert must_recompute(deep, free=whole - 1)
    check_training(deep, free=least)
    with pytest.raises(
        RequestError,
        match=f"plain-110 with batches of 64 takes about {least / 1e6:.0f} MB of memory, and 44 MB are free",
    ):
        check_training(deep, free=44_000_000)


def test_what_stays_in_memory_grows_with_the_root_of_the_depth() -> None:
    configs = [replace(CONFIG, network=network(f"resnet-{depth}")) for depth in (74, 290, 1154)]  # 36, 144, 576 blocks
    weights = [4 * 3 * summary(config.network).parameters for config in configs]
    kept = [training_bytes(config, recompute=True) - own for config, own in zip(configs, weights, strict=True)]
    assert [later / before for before, later in pairwise(kept)] == pytest.approx([2, 2], rel=0.03)


@pytest.mark.parametrize("name", ["resnet-32:width=4", "plain-14:width=4,bn=off", "resnet-20:width=4,survival=0.5",
                                  "resnet-20:width=4,dropout=0.5",
                                  "preresnet-20-bottleneck:width=4"])  # fmt: skip
def test_blocks_computed_again_give_the_same_bits(name: str, tiny_images) -> None:
    ended = []
    for recompute in (0, 1, 3):
        model = build.build(network(name), seed=1)
        model.recompute = recompute
        list(train(model, tiny_images, replace(TINY_TRAINING, steps=4), precision="bf16"))
        ended.append(model.state_dict())
    for other in ended[1:]:
        assert all(torch.equal(tensor, other[name]) for name, tensor in ended[0].items())


@pytest.mark.parametrize(
    ("limit", "expected"), [("8000000000\n", 7_200_000_000), ("500000000\n", 0), ("max\n", None), (None, None)]
)
def test_memory_that_a_container_may_not_take_is_not_free(
    limit: str | None, expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: 1.0 GB is in use, 0.2 GB of it files that the kernel gives back."""
    group = tmp_path / "system.slice" / "explorer.service"
    group.mkdir(parents=True)
    (tmp_path / "own").write_text("1:cpu:/\n0::/system.slice/explorer.service\n")
    (group / "memory.current").write_text("1000000000\n")
    (group / "memory.stat").write_text("anon 800000000\ninactive_file 200000000\n")
    if limit:
        (group / "memory.max").write_text(limit)
    monkeypatch.setattr(device, "_OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(device, "_CGROUPS", tmp_path)
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 20_000_000_000}))
    assert device.free_ram() == (20_000_000_000 if expected is None else expected)


def test_weights_that_do_not_fit_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "free_ram", lambda: 1_000_000_000)
    with pytest.raises(RequestError, match=r"resnet-1202:width=64 take 1\.2 GB, and 1\.0 GB of memory are free"):
        build.build(network("resnet-1202:width=64"))
