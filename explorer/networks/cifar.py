"""The networks of section 4.2: 6n+2 weighted layers for small images."""

import hashlib
import math
import re

import torch
from torch import Tensor, nn

from explorer.config import NetworkConfig
from explorer.networks.blocks import BasicBlock, ProjectionShortcut, conv3x3


class CifarNetwork(nn.Module):
    """Stem, three stages of n blocks, global average pooling and a linear head."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths = (config.width, 2 * config.width, 4 * config.width)
        self.conv = conv3x3(3, config.width)
        self.bn = nn.BatchNorm2d(config.width)
        self.relu = nn.ReLU()
        self.stage1 = _stage(config, config.width, widths[0], stride=1)
        self.stage2 = _stage(config, widths[0], widths[1], stride=2)
        self.stage3 = _stage(config, widths[1], widths[2], stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(widths[2], config.classes)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, classes) logits."""
        x = self.relu(self.bn(self.conv(images)))
        x = self.stage3(self.stage2(self.stage1(x)))
        logits: Tensor = self.head(self.flatten(self.pool(x)))
        return logits


def _stage(config: NetworkConfig, in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    first = BasicBlock(in_channels, out_channels, stride, config.shortcut)
    others = (BasicBlock(out_channels, out_channels, 1, config.shortcut) for _ in range(config.blocks_per_stage - 1))
    return nn.Sequential(first, *others)


def build(config: NetworkConfig, seed: int = 0) -> CifarNetwork:
    """The network with He initialisation (fan in), on the CPU, in training mode.

    Each tensor's numbers depend on the seed and on its own name alone, so a plain network and its residual twin
    start from the same weights, with any shortcut option, and no global random state is read or changed.
    """
    with torch.device("meta"):
        network = CifarNetwork(config)
    network.to_empty(device="cpu")
    for name, module in network.named_modules():
        _initialise(name, module, seed)
    return network


def _initialise(name: str, module: nn.Module, seed: int) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=_generator(name, seed))
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=math.sqrt(1 / module.in_features), generator=_generator(name, seed))
        nn.init.zeros_(module.bias)


def _generator(name: str, seed: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def response_layers(network: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """The BN after each 3x3 layer, by the name of that layer, in the order of the signal (Fig. 7).

    BN's output is the layer's response; the 1x1 projections of options B and C are not 3x3 layers.
    """
    projections = {id(shortcut.bn) for shortcut in network.modules() if isinstance(shortcut, ProjectionShortcut)}
    return {
        re.sub(r"bn(\d?)$", r"conv\1", name): module
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d) and id(module) not in projections
    }
