"""What a measurement is made on: a trained network and images to show it."""

from dataclasses import dataclass

from torch import Tensor

from explorer.data.prepared import Normalization
from explorer.networks.residual import ResidualNetwork


@dataclass(frozen=True)
class Subject:
    """A trained network and the labelled images that it is judged on."""

    network: ResidualNetwork
    images: Tensor
    """(N, 3, H, W) uint8."""
    labels: Tensor
    """(N,) int64."""
    normalization: Normalization
