"""Plain and residual networks and their relatives, for small images (section 4.2) and for ImageNet (Table 1)."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from explorer.config import NetworkConfig
from explorer.networks.blocks import convolution, normalization
from explorer.networks.fused import rectified
from explorer.networks.recompute import recomputed
from explorer.networks.residual_blocks import Block, Place, block_type


class ResidualNetwork(nn.Module):
    """Stem, stages of blocks, global average pooling and a linear head."""

    def __init__(self, config: NetworkConfig, blocks: tuple[int, ...] | None = None) -> None:
        """`blocks` is how many each stage has; fewer than the config's only to count one that stands for many."""
        super().__init__()
        self.config = config
        self.blocks = blocks or config.blocks
        small = config.design == "cifar"
        self.conv = convolution(3, config.width, 3 if small else 7, 1 if small else 2, config)
        last = config.width * 2 ** (len(self.blocks) - 1) * block_type(config).expansion
        self.bn = normalization(last if config.preactivation else config.width, config)
        self.relu = nn.ReLU()
        self.maxpool = None if small else nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for name, places in _places(config, self.blocks):
            self.add_module(name, nn.Sequential(*(block_type(config)(config, place) for place in places)))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(last, config.classes)
        self.recompute = 0
        """Blocks that a training step computes again together on the way back, to save memory; 0: none."""

    @property
    def stages(self) -> dict[str, nn.Sequential]:
        """stage1 … stage3 or stage4, in order."""
        names = (f"stage{index}" for index in range(1, len(self.blocks) + 1))
        return {name: cast(nn.Sequential, self._modules[name]) for name in names}

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) normalised images to (N, classes) logits."""
        x = self.begin(images)
        for stage in self.stages.values():
            again = self.recompute and torch.is_grad_enabled()
            x = recomputed(list(stage), x, self.recompute) if again else stage(x)
        return self.end(x)

    def begin(self, images: Tensor) -> Tensor:
        """The stem: (N, 3, H, W) normalised images to what the first block takes."""
        x: Tensor = self.conv(images)
        if not self.config.preactivation:
            x = rectified(self.bn, self.relu, x)
        return x if self.maxpool is None else self.maxpool(x)

    def end(self, x: Tensor) -> Tensor:
        """The head: what the last block puts out to (N, classes) logits."""
        if self.config.preactivation:
            x = rectified(self.bn, self.relu, x)
        logits: Tensor = self.head(self.flatten(self.pool(x)))
        return logits


def _places(config: NetworkConfig, blocks: tuple[int, ...]) -> Iterator[tuple[str, list[Place]]]:
    """Each stage's name and where its blocks stand; every stage but the first halves the map in its first block."""
    in_channels, done, total = config.width, 0, sum(blocks)
    for index, count in enumerate(blocks):
        channels, places = config.width * 2**index, []
        for block in range(count):
            done += 1
            stride = 2 if index and not block else 1
            survival = 1 - done / total * (1 - config.survival)
            places.append(Place(in_channels, channels, stride, survival, first=done == 1))
            in_channels = channels * block_type(config).expansion
        yield f"stage{index + 1}", places


def response_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The module that puts out each 3x3 layer's response, by the name of that layer, in the order of the signal.

    That is the BN after it (Fig. 7), or the layer itself where no BN stands between it and the next nonlinearity or
    sum. Projections, gates and the 1x1 layers of bottlenecks are not 3x3 layers.
    """
    assert isinstance(network, ResidualNetwork)
    stem = network.conv if network.config.preactivation else network.bn
    layers: dict[str, nn.Module] = {"conv": stem}
    for name, block in network.named_modules():
        if isinstance(block, Block):
            for layer, response in block.responses.items():
                layers[f"{name}.{layer}"] = block.get_submodule(response)
    return layers
