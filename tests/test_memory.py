"""What a training takes, by hand."""

from dataclasses import replace

import pytest

from explorer.config import RunConfig, TrainingConfig, network
from explorer.errors import RequestError
from explorer.memory import check_training, training_bytes
from explorer.networks import build

CONFIG = RunConfig(network("plain-8"), replace(TrainingConfig(), batch_size=64))


def test_training_takes_the_weights_three_times_and_every_output_once() -> None:
    by_size = {32: 16, 16: 32, 8: 64}
    # three outputs (convolution, BN, ReLU) of the stem and of two layers a stage, the pooled channels, the logits
    outputs = 3 * (16 * 32**2 + 2 * sum(channels * size**2 for size, channels in by_size.items())) + 64 + 10
    assert training_bytes(CONFIG) == 4 * (3 * 75_290 + 64 * outputs)


def test_a_training_that_does_not_fit_says_what_it_takes() -> None:
    needed = training_bytes(CONFIG)
    check_training(CONFIG, free=needed)
    with pytest.raises(
        RequestError, match=r"plain-8 with batches of 64 takes about 58 MB of memory, and 44 MB are free"
    ):
        check_training(CONFIG, free=44_000_000)


def test_weights_that_do_not_fit_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1_000_000_000}))
    with pytest.raises(RequestError, match=r"resnet-1202:width=64 take 1\.2 GB, and 1\.0 GB of memory are free"):
        build.build(network("resnet-1202:width=64"))
