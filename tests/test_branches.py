"""The two summands of a block: F(x) and x."""

import pytest
import torch
from torch import nn

from explorer.config import network
from explorer.measurement.branches import block_branches
from explorer.measurement.moments import Moments
from explorer.networks.build import build

IMAGES = torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_moments_do_not_depend_on_how_the_values_come_in() -> None:
    values = torch.randn(1000, generator=torch.Generator().manual_seed(1)) + 3
    whole, parts = Moments(), Moments()
    whole.add(values)
    for part in (values[:7], values[7:600], values[600:]):
        parts.add(part)
    assert whole.std == pytest.approx(float(values.double().std(correction=0)), rel=1e-5)
    assert whole.rms == pytest.approx(float(values.double().square().mean().sqrt()), rel=1e-5)
    assert (parts.std, parts.rms) == pytest.approx((whole.std, whole.rms), rel=1e-5)


def test_each_summand_is_measured_where_it_is_added() -> None:
    model = build(network("resnet-8")).eval().requires_grad_(False)
    x = model.begin(IMAGES)
    found = {branch.block: branch for branch in block_branches(model, IMAGES)}
    assert list(found) == ["stage1.0", "stage2.0", "stage3.0"]
    for name, branch in found.items():
        block = model.get_submodule(name)
        residual, carried = block.residual(x), block.carry(x)
        assert branch.residual == pytest.approx(float(residual.square().mean().sqrt()), rel=1e-4)
        assert branch.shortcut == pytest.approx(float(carried.square().mean().sqrt()), rel=1e-4)
        x = block(x)


def test_a_branch_of_zeros_adds_nothing() -> None:
    model = build(network("resnet-14"))
    nn.init.zeros_(model.get_submodule("stage2.1").bn2.weight)
    found = {branch.block: branch.residual for branch in block_branches(model, IMAGES, own_statistics=True)}
    assert found.pop("stage2.1") == 0
    assert list(found.values()) == pytest.approx([1] * 5, abs=5e-3)  # after BN, before training


@pytest.mark.parametrize("name", ["plain-8", "highway-8"])
def test_what_adds_nothing_has_no_branches(name: str) -> None:
    assert block_branches(build(network(name)), IMAGES) == ()
