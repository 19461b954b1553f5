"""Noise of gradients where it is known: linear networks have none, a network of kinks much."""

import numpy as np
import pytest
import torch
from torch import nn

from explorer.attribution.means import mean_maps
from explorer.measurement.saliency_noise import saliency_noise, smoothness

IMAGES = torch.randn(20, 3, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = [index % 4 for index in range(20)]


def _linear(weights: torch.Tensor) -> nn.Sequential:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 4, bias=False))
    network[1].weight.data = weights.reshape(4, -1)
    return network


def test_a_linear_network_is_steady_and_as_smooth_as_its_weights() -> None:
    ramp = torch.linspace(0, 1, 16).repeat(4, 3, 16, 1) + torch.linspace(0, 1, 16)[:, None]
    *_, smooth = saliency_noise(_linear(ramp), IMAGES, LABELS)
    assert smooth.images == 20
    assert smooth.smoothness.mean == pytest.approx(smoothness(ramp[0].sum(0).numpy()), abs=1e-6)
    assert smooth.smoothness.mean > 0.95
    assert smooth.steadiness.mean == pytest.approx(1, abs=1e-6)
    noise = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    first, rough = saliency_noise(_linear(noise), IMAGES, LABELS)
    assert first.images == 16
    assert abs(rough.smoothness.mean) < 0.1
    assert rough.smoothness.low < rough.smoothness.mean < rough.smoothness.high
    assert rough.smoothness.mean - rough.smoothness.low == pytest.approx(
        rough.smoothness.high - rough.smoothness.mean, rel=1e-6
    )


def test_a_network_whose_slope_changes_everywhere_is_unsteady() -> None:
    class Wave(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sin(400 * x).flatten(1)[:, :4] + torch.sin(400 * x).flatten(1).sum(1, keepdim=True)

    *_, found = saliency_noise(Wave(), IMAGES, LABELS)
    assert abs(found.steadiness.mean) < 0.1


def test_images_without_a_gradient_are_left_out() -> None:
    assert list(saliency_noise(_linear(torch.zeros(4, 3, 16, 16)), IMAGES, LABELS)) == []


def test_the_mean_of_maps_counts_each_image_alike() -> None:
    weights = torch.zeros(4, 3, 16, 16)
    weights[0, :, 2, 3], weights[0, :, 5, 6] = 3.0, 1.0
    network, images = _linear(weights), torch.stack([IMAGES[0], 100 * IMAGES[0]] * 3)
    *_, last = mean_maps(network, images, [0] * 6, ["saliency", "input_x_gradient"])
    assert last.images == 6
    saliency = last.maps["saliency"]
    assert saliency[2, 3] == pytest.approx(192)  # 256 pixels, of which one has three quarters of all
    assert saliency[5, 6] == pytest.approx(64)
    assert saliency.mean() == pytest.approx(1)
    np.testing.assert_allclose(last.maps["input_x_gradient"].mean(), 1, rtol=1e-5)
