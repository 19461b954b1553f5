"""Gate openness against the closed form and against an independent forward pass."""

import json
import math
from dataclasses import replace

import pytest
import torch

from explorer.config import TrainingConfig, network
from explorer.data.sources import load
from explorer.measurement.gates import gate_openness, gates_heard
from explorer.networks.build import build
from explorer.records import EvaluationRecord, record_from_dict, record_to_dict
from explorer.training import train

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


def test_what_the_data_decide_is_told_from_what_the_bias_does() -> None:
    model = build(network("highway-8"))
    gate = model.stage1[0].gate
    with torch.no_grad():
        gate.conv.weight.zero_()
        gate.conv.bias.copy_(torch.where(torch.arange(16) < 4, 5.0, -5.0))
    first = gate_openness(model, IMAGES)[0]
    opened, closed = (1 / (1 + math.exp(-bias)) for bias in (5, -5))
    assert first.mean == pytest.approx(opened / 4 + 3 * closed / 4)
    assert first.std == pytest.approx(math.sqrt(3) / 4 * (opened - closed))
    assert first.by_data == pytest.approx(0, abs=1e-6)
    assert first.shut == pytest.approx(1 / 4)
    with torch.no_grad():
        gate.conv.weight.normal_(generator=torch.Generator().manual_seed(1))
        stem = model.eval().relu(model.bn(model.conv(IMAGES)))
        values = torch.sigmoid(gate.conv(stem))
    first = gate_openness(model, IMAGES)[0]
    assert first.by_data == pytest.approx(float(values.var((0, 2, 3), correction=0).mean().sqrt()), rel=1e-4)
    assert first.shut == pytest.approx(float((values > 0.9).float().mean()), abs=1e-3)


def test_gates_are_heard_over_batches_as_over_the_whole() -> None:
    model = build(network("highway-8"), seed=3).eval()
    with gates_heard(model) as found, torch.no_grad():
        for batch in IMAGES.split((1, 3)):
            model(batch)
    for one, whole in zip(found(), gate_openness(model, IMAGES), strict=True):
        assert one.block == whole.block
        assert (one.mean, one.std, one.by_data, one.shut) == pytest.approx(
            (whole.mean, whole.std, whole.by_data, whole.shut), rel=1e-4
        )


def test_a_training_records_its_gates_and_they_come_back() -> None:
    config = TrainingConfig(steps=2, batch_size=4, image_size=8, train_images=20, test_images=10, evaluations=2)
    model = build(network("highway-8:width=4"))
    seen = [record for record in train(model, load("shapes"), config) if isinstance(record, EvaluationRecord)]
    assert [len(record.gates) for record in seen] == [3, 3, 3]
    assert seen[0].gates[0].mean == pytest.approx(1 / (1 + math.exp(2)), abs=0.1)
    assert record_from_dict(json.loads(json.dumps(record_to_dict(seen[-1])))) == seen[-1]
    older = {name: value for name, value in record_to_dict(seen[-1]).items() if name != "gates"}
    assert record_from_dict(older) == replace(seen[-1], gates=())
