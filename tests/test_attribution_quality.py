"""Measures of maps where their values are known, and the sanity check on a network that is known to pass it."""

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution.quality import infidelity, quality, sensitivity
from explorer.attribution.sanity import cascade
from explorer.config import network as named
from explorer.measurement.saliency_noise import smoothness
from explorer.networks.build import build


def _linear() -> tuple[nn.Sequential, torch.Tensor]:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 4, bias=False))
    nn.init.normal_(network[1].weight, generator=torch.Generator().manual_seed(0))
    return network, torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(1))


def test_a_linear_networks_own_map_has_no_infidelity_and_a_map_of_zeros_has_one() -> None:
    network, image = _linear()
    true = (network[1].weight[2].reshape(3, 8, 8) * image).sum(0).detach().numpy()
    assert infidelity(network, image, 2, true) == pytest.approx(0, abs=1e-4)
    assert infidelity(network, image, 2, 7 * true) == pytest.approx(0, abs=1e-4)  # it may be scaled
    assert infidelity(network, image, 2, np.zeros_like(true)) == pytest.approx(1, abs=1e-3)
    rolled = np.roll(true, 3, axis=(0, 1)).copy()
    assert infidelity(network, image, 2, rolled) > 0.3


def test_a_linear_networks_gradient_does_not_move_and_its_product_with_the_image_does() -> None:
    network, image = _linear()
    assert sensitivity(network, image, 2, "saliency") == pytest.approx(0, abs=1e-5)
    assert 0 < sensitivity(network, image, 2, "input_x_gradient") < 0.2


def test_noise_is_rough_and_a_ramp_is_smooth() -> None:
    noise = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.float32)
    assert abs(smoothness(noise)) < 0.05
    assert smoothness(ramp) > 0.99
    board = np.indices((8, 8)).sum(0) % 2
    assert smoothness(board.astype(np.float32)) == pytest.approx(-1)


def test_quality_measures_one_map_in_all_ways() -> None:
    network, image = _linear()
    found = quality(network, image, 2, "deep_lift")
    assert found.completeness == pytest.approx(0, abs=1e-4)
    assert found.infidelity == pytest.approx(0, abs=1e-4)
    assert found.insertion > found.deletion
    assert quality(network, image, 2, "saliency").completeness is None


def test_maps_of_a_network_that_forgets_change_from_the_top_down() -> None:
    network = build(named("resnet-8:width=4"), 0).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    found = list(cascade(network, images, [1, 2], ["saliency"]))
    assert [one.layer for one in found] == ["", "head", "stage3.0", "stage2.0", "stage1.0", "conv"]
    assert [one.seq for one in found] == list(range(6))
    assert found[0].similarity == {"saliency": 1.0}
    assert all(one.similarity["saliency"] < 0.9 for one in found[1:])
    assert found[-1].similarity["saliency"] < 0.5
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
