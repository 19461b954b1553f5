"""Curves of a network whose answer can be written down."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.measurement.deletion import deletion_and_insertion


class _CountsBright(nn.Module):
    """Softmax probability of class 0 is the share of pixels that are one."""

    def forward(self, x: Tensor) -> Tensor:
        share = x.mean(dim=(1, 2, 3)).clamp(1e-6, 1 - 1e-6)
        return torch.stack([share.log(), (1 - share).log()], dim=1)


def test_the_score_falls_as_the_pixels_that_count_are_taken_away_first() -> None:
    image = torch.zeros(3, 2, 2)
    image[:, 0, 0] = image[:, 1, 1] = 1  # half of the image, at places 0 and 3
    values = np.array([[4.0, 1.0], [2.0, 3.0]], dtype=np.float32)
    found = deletion_and_insertion(_CountsBright(), image, torch.zeros_like(image), 0, values, points=5)
    assert found.shares == pytest.approx((0, 0.25, 0.5, 0.75, 1))
    assert found.deletion == pytest.approx((0.5, 0.25, 0, 0, 0), abs=1e-5)
    assert found.insertion == pytest.approx((0, 0.25, 0.5, 0.5, 0.5), abs=1e-5)
    assert found.deletion_area == pytest.approx((0.375 + 0.125) / 4, abs=1e-5)
    assert found.insertion_area == pytest.approx((0.125 + 0.375 + 0.5 + 0.5) / 4, abs=1e-5)


def test_the_wrong_order_keeps_the_score_up() -> None:
    image = torch.zeros(3, 2, 2)
    image[:, 0, 0] = 1
    values = np.array([[0.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    found = deletion_and_insertion(_CountsBright(), image, torch.zeros_like(image), 0, values, points=5)
    assert found.deletion == pytest.approx((0.25, 0.25, 0.25, 0.25, 0), abs=1e-5)
