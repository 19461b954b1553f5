"""What a network consists of: layers, parameters, multiply-adds. Counted, not computed with: nothing is allocated."""

from dataclasses import dataclass

import torch
from torch import nn

from explorer.config import NetworkConfig
from explorer.networks.cifar import CifarNetwork


@dataclass(frozen=True)
class Summary:
    """Counts of one network for square images of one size."""

    parameters: int
    """All that is learnt: weights, BN's gamma and beta, the head's bias (as Table 6 counts)."""
    macs: int
    """Multiply-adds of convolutions and the head for one image: what the paper calls FLOPs."""
    weighted_layers: int
    """Convolutions and the head on the main path; projection shortcuts do not count (section 4.2)."""
    stages: tuple[tuple[str, int, int, int], ...]
    """Per part: name, output side in pixels, channels, weighted layers."""


def summary(config: NetworkConfig, image_size: int = 32) -> Summary:
    """Build on the meta device, pass one image through, and count."""
    with torch.device("meta"):
        network = CifarNetwork(config)
        image = torch.empty(1, 3, image_size, image_size)
    shapes: dict[nn.Module, torch.Size] = {}
    handles = [
        module.register_forward_hook(lambda module, _inputs, output: shapes.__setitem__(module, output.shape))
        for module in network.modules()
    ]
    with torch.no_grad():
        network.eval()(image)
    for handle in handles:
        handle.remove()
    parts = [("stem", network.conv), ("stage1", network.stage1), ("stage2", network.stage2), ("stage3", network.stage3)]
    stages = [(name, shapes[part][2], shapes[part][1], _weighted_layers(part)) for name, part in parts]
    return Summary(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=sum(_macs(module, shape) for module, shape in shapes.items()),
        weighted_layers=_weighted_layers(network),
        stages=(*stages, ("head", 1, config.classes, 1)),
    )


def _macs(module: nn.Module, output: torch.Size) -> int:
    if isinstance(module, nn.Conv2d):
        kernel = module.kernel_size[0] * module.kernel_size[1]
        return output.numel() * module.in_channels * kernel
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    return 0


def _weighted_layers(part: nn.Module) -> int:
    return sum(
        isinstance(module, nn.Linear | nn.Conv2d) and "shortcut" not in name for name, module in part.named_modules()
    )
