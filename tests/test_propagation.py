"""The signal before the first step: what De and Smith derive for blocks that keep the shape."""

from itertools import pairwise

import pytest
import torch

from explorer.config import network
from explorer.errors import RequestError
from explorer.measurement.propagation import BlockSignal, factor, propagation, rise

IMAGES = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
STAGE = 3  # blocks in each stage of 20 layers


def _entries(count: int) -> range:
    return range(STAGE, count, STAGE)


@pytest.mark.parametrize("name", ["resnet-20:width=16", "plain-20:width=16"])
def test_with_bn_every_branch_has_variance_one(name: str) -> None:
    assert [signal.branch for signal in propagation(network(name), IMAGES)] == pytest.approx([1.0] * 9, rel=1e-3)


def test_with_bn_the_trunk_grows_by_one_in_each_block() -> None:
    """A branch that ends in a layer of He's weights; zeros at the borders of the map take a little from it."""
    signals = propagation(network("preresnet-20:width=64"), IMAGES)
    assert rise(signals) == pytest.approx(1, abs=0.1)
    for before, after in pairwise(signals[:STAGE]):
        assert after.share < before.share  # type: ignore[operator]


def test_with_bn_the_share_of_the_branch_falls_like_one_over_the_number_of_the_block() -> None:
    """The trunk begins with 1/2, the mean square of what BN and ReLU leave of the stem; each block adds 1."""
    first_stage = propagation(network("preresnet-56:width=32"), IMAGES)[:9]
    expected = [1 / (number + 0.5) for number in range(1, 10)]
    assert [signal.share for signal in first_stage] == pytest.approx(expected, rel=0.2)


def test_without_bn_the_trunk_doubles_in_each_block() -> None:
    signals = propagation(network("preresnet-20:width=64,bn=off"), IMAGES)
    assert factor(signals) == pytest.approx(2, rel=0.2)
    shares = [signal.share for index, signal in enumerate(signals) if index and index not in _entries(len(signals))]
    assert shares == pytest.approx([0.5] * len(shares), abs=0.2)


@pytest.mark.parametrize("name", ["preresnet-20:width=8", "preresnet-20:width=8,bn=off"])
def test_a_stage_begins_with_half_of_what_the_last_one_ended_with(name: str) -> None:
    """Option A fills half of the channels with zeros."""
    signals = propagation(network(name), IMAGES)
    for index in _entries(len(signals)):
        assert signals[index].carried == pytest.approx(signals[index - 1].trunk / 2, rel=0.05)  # type: ignore[operator]


def test_skipinit_starts_with_the_identity() -> None:
    signals = propagation(network("skipinit-20:width=8"), IMAGES)
    assert {signal.branch for signal in signals} == {0.0}
    assert {signal.share for signal in signals} == {0.0}
    assert rise(signals) == 0
    assert factor(signals) == 1


def test_plain_networks_have_no_trunk_and_the_branch_of_their_twin_at_first() -> None:
    plain, residual = (propagation(network(name), IMAGES) for name in ("plain-8:bn=off", "resnet-8:bn=off"))
    assert {(signal.carried, signal.trunk, signal.share) for signal in plain} == {(None, None, None)}
    assert plain[0].branch == residual[0].branch
    assert [signal.block for signal in plain] == ["stage1.0", "stage2.0", "stage3.0"]


def test_growth_is_within_stages_only() -> None:
    trunks = {"stage1.0": 1.0, "stage1.1": 2.0, "stage1.2": 4.0, "stage2.0": 9.0, "stage2.1": 18.0}
    signals = [BlockSignal(name, 0.5, 0.5, trunk) for name, trunk in trunks.items()]
    assert factor(signals) == pytest.approx(2)
    assert rise(signals) == pytest.approx((1 + 2 + 9) / 3)


@pytest.mark.parametrize("name", ["highway-20", "resnet-20-bottleneck", "vgg-19@imagenet"])
def test_networks_of_other_blocks_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(RequestError, match="basic blocks"):
        propagation(network(name), IMAGES)
