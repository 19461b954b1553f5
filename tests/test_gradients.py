"""Gradients against those of an ordinary backward pass, and what the paper says of them."""

import pytest
import torch
from torch.nn import functional

from explorer.config import network
from explorer.measurement.gradients import layer_gradients
from explorer.measurement.initialisation import at_start
from explorer.networks.build import build
from explorer.networks.residual import response_layers
from explorer.plots.gradients import LayerLine, alternative_text, layer_lines
from explorer.records import EvaluationRecord, record_from_dict, record_to_dict
from explorer.training import train
from tests.conftest import TINY_TRAINING

IMAGES, LABELS = torch.randn(16, 3, 16, 16), torch.arange(16) % 10


@pytest.mark.parametrize("name", ["resnet-14:width=4,shortcut=B", "plain-8:width=4,bn=off", "preresnet-8:width=4"])
def test_norms_are_those_of_a_backward_pass_in_training_mode(name: str) -> None:
    model = build(network(name), seed=2)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    found = layer_gradients(model, IMAGES, LABELS)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())

    functional.cross_entropy(model.train()(IMAGES), LABELS).backward()
    assert [gradient.layer for gradient in found] == list(response_layers(model))
    for gradient in found:
        weight = model.get_submodule(gradient.layer).weight
        assert gradient.norm == pytest.approx(float(weight.grad.norm()), rel=1e-4)
        assert gradient.weight_norm == pytest.approx(float(weight.detach().norm()))


def test_with_bn_the_gradients_of_a_deep_plain_network_do_not_vanish_and_without_they_do() -> None:
    """Section 4.1. Half of He's weights halve signal and gradient at each layer, unless BN scales them up again."""

    def norms(name: str) -> list[float]:
        return [gradient.norm for gradient in layer_gradients(build(network(name), seed=0), IMAGES, LABELS)]

    assert min(norms("plain-56:width=8,init=small")) > 0.01
    assert max(norms("plain-56:width=8,init=small,bn=off")) < 1e-10


def test_every_evaluation_carries_them_and_files_give_them_back(tiny_images) -> None:
    records = list(train(build(network("resnet-8:width=4")), tiny_images, TINY_TRAINING))
    evaluations = [record for record in records if isinstance(record, EvaluationRecord)]
    assert [len(record.gradients) for record in evaluations] == [7, 7, 7]
    assert [record_from_dict(record_to_dict(record)) for record in records] == records
    old = record_to_dict(evaluations[0])
    del old["gradients"]
    assert record_from_dict(old).gradients == ()  # type: ignore[union-attr]


def test_before_training_signal_and_gradient_are_those_of_the_built_network() -> None:
    config = network("plain-8:width=4")
    start = at_start(config, IMAGES, LABELS, seed=3)
    assert start.gradients == layer_gradients(build(config, 3), IMAGES, LABELS)
    assert [response.std for response in start.responses] == pytest.approx([1.0] * 7, abs=0.02)  # BN


def test_signals_halve_without_bn_where_weights_are_half_as_large() -> None:
    """Of two networks that differ in a factor of the weights alone, layer k's signal differs by its k-th power."""
    usual, small = (
        at_start(network(f"plain-14:width=4,bn=off,init={i}"), IMAGES, LABELS) for i in ("kaiming", "small")
    )
    ratios = [a.std / b.std for a, b in zip(usual.responses, small.responses, strict=True)]
    assert ratios == pytest.approx([2.0**k for k in range(1, 14)], rel=1e-3)


def test_the_figure_is_logarithmic_and_leaves_out_what_is_no_number() -> None:
    lines = [
        LayerLine("plain", 8, "plain-8", ["a", "b", "c"], [1.0, 0.0, float("inf")]),
        LayerLine("resnet", 8, "resnet-8", ["a", "b", "c"], [1.0, 2.0, 3.0]),
    ]
    figure = layer_lines(lines, "norm")
    plain, residual = figure.data
    assert list(plain.y) == [1.0, 1e-30, None]
    assert (plain.xaxis, residual.xaxis) == ("x", "x2")
    assert figure.layout.yaxis.type == "log"
    assert "resnet-8: 1 in the first layer, 3 in the last" in alternative_text(lines, "norm")
