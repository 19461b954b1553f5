"""Gate openness against the closed form and against an independent forward pass."""

import math

import pytest
import torch

from explorer.config import network
from explorer.measurement.gates import gate_openness
from explorer.networks.build import build

IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("bias", [-3.0, 0.0, 2.0])
def test_gates_without_weights_are_open_as_far_as_their_bias_says(bias: float) -> None:
    model = build(network(f"highway-14:gate_bias={bias}"))
    with torch.no_grad():
        for stage in model.stages.values():
            for block in stage:
                block.gate.conv.weight.zero_()
    found = gate_openness(model, IMAGES)
    assert [gate.block for gate in found] == [f"stage{s}.{b}" for s in (1, 2, 3) for b in (0, 1)]
    assert [gate.mean for gate in found] == pytest.approx([1 / (1 + math.exp(-bias))] * 6)
    assert [gate.std for gate in found] == pytest.approx([0.0] * 6, abs=1e-6)


def test_openness_of_the_first_gate_by_hand_and_the_network_left_alone() -> None:
    model = build(network("highway-8"), seed=2).train()
    found = gate_openness(model, IMAGES)
    assert model.training
    with torch.no_grad():
        model.eval()
        stem = model.relu(model.bn(model.conv(IMAGES)))
        weight, bias = model.stage1[0].gate.conv.weight[:, :, 0, 0], model.stage1[0].gate.conv.bias
        opened = torch.sigmoid(torch.einsum("oc,nchw->nohw", weight, stem) + bias[:, None, None])
    assert found[0].mean == pytest.approx(float(opened.mean()), rel=1e-4)
    assert found[0].std == pytest.approx(float(opened.std(correction=0)), rel=1e-4)


def test_a_network_without_gates_has_none() -> None:
    assert gate_openness(build(network("resnet-8")), IMAGES) == ()
