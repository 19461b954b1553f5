"""Do signal and gradient reach every layer before the first step? What initialisation and BN cure (sections 1, 4.1)."""

from dataclasses import dataclass

from torch import Tensor

from explorer.config import NetworkConfig
from explorer.measurement.gradients import layer_gradients
from explorer.measurement.responses import layer_responses
from explorer.networks.build import build
from explorer.records import LayerGradient, LayerResponse


@dataclass(frozen=True)
class Start:
    """An untrained network, layer by layer."""

    gradients: tuple[LayerGradient, ...]
    """Of the loss with respect to the weights; infinite or no number where the signal overflows."""
    responses: tuple[LayerResponse, ...]
    """Their standard deviation is the size of the signal: 1 after BN, whatever the weights."""


def at_start(config: NetworkConfig, images: Tensor, labels: Tensor, seed: int = 0) -> Start:
    """Signal and gradient of the untrained network of `config` on a normalised batch (N, 3, H, W) with its labels."""
    network = build(config, seed)
    return Start(layer_gradients(network, images, labels), layer_responses(network, images, own_statistics=True))
