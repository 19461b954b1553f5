"""Blocks of layers F and what is added to them (Figs. 2 and 5); without a shortcut, just the layers."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from explorer.config import NetworkConfig
from explorer.networks.blocks import (
    Add,
    Dropout,
    Gate,
    IdentityShortcut,
    Mix,
    ProjectionShortcut,
    Scale,
    StochasticDepth,
    Times,
    convolution,
    normalization,
    shortcut,
)
from explorer.networks.fused import fuses, normalized, overwritten, rectified


@dataclass(frozen=True)
class Place:
    """Where a block stands in its network."""

    in_channels: int
    channels: int
    """Of its 3x3 layers; the block puts out `expansion` times as many."""
    stride: int = 1
    survival: float = 1.0
    """Probability that a training step keeps the block (stochastic depth)."""
    first: bool = False
    """Whether it is the network's first block."""


class Block(nn.Module):
    """What all blocks share: how F(x) and the shortcut meet."""

    expansion: ClassVar[int] = 1
    responses: ClassVar[dict[str, str]]
    """For each 3x3 layer the module that puts out its response: after BN, before the nonlinearity (Fig. 7)."""

    def __init__(self, config: NetworkConfig, place: Place) -> None:
        super().__init__()
        self.place, self.zeros = place, config.zeros
        self.add_layers(config, place)
        self.shortcut = shortcut(place.in_channels, place.channels * self.expansion, place.stride, config)
        self.add_join(config, place)

    def add_layers(self, config: NetworkConfig, place: Place) -> None:
        """Make the layers of F."""
        raise NotImplementedError

    def add_join(self, config: NetworkConfig, place: Place) -> None:
        """Make what stands between F, the shortcut and their sum."""
        joined = self.shortcut is not None
        self.scale = Scale() if config.skipinit else None
        self.stochastic_depth = StochasticDepth(place.survival) if joined and place.survival < 1 else None
        self.strength = Times(config.strength) if config.strength != 1 else None
        self.add = Add() if joined else None

    def residual(self, x: Tensor) -> Tensor:
        """F(x)."""
        raise NotImplementedError

    def skips(self) -> bool:
        """Whether stochastic depth leaves F out of this step."""
        return self.stochastic_depth is not None and self.stochastic_depth.skips()

    def without(self, x: Tensor) -> Tensor:
        """What the block would put out if its layers were taken away: what comes over the shortcut.

        A plain block has none; in its place stands what option A's would be, which has no weights either.
        """
        raise NotImplementedError

    def rectified_sum(self, norm: nn.Module, relu: nn.Module, out: Tensor, x: Tensor) -> Tensor:
        """relu(F(x) + x), where F(x) is norm(out)."""
        if fuses(norm, out) and self.scale is None and self.stochastic_depth is None:
            return rectified(norm, relu, out, None if self.add is None else self.carry(x))
        return overwritten(relu, self.join(normalized(norm, out), x))

    def join(self, residual: Tensor, x: Tensor) -> Tensor:
        """F(x) + x, each with its factor."""
        if self.add is None:
            return residual
        if self.scale is not None:
            residual = self.scale(residual)
        if self.stochastic_depth is not None:
            residual = self.stochastic_depth(residual)
        joined: Tensor = self.add(residual, self.carry(x))
        return joined

    def carry(self, x: Tensor) -> Tensor:
        """What comes over the shortcut."""
        place = self.place
        option_a = IdentityShortcut(place.in_channels, place.channels * self.expansion, place.stride, self.zeros)
        carried: Tensor = (self.shortcut or option_a)(x)
        return carried if self.strength is None else self.strength(carried)


class BasicBlock(Block):
    """Two 3x3 layers, then a second nonlinearity after the sum (Fig. 2)."""

    responses = {"conv1": "bn1", "conv2": "bn2"}

    def add_layers(self, config: NetworkConfig, place: Place) -> None:
        """3x3, 3x3."""
        self.conv1 = convolution(place.in_channels, place.channels, 3, place.stride, config)
        self.bn1 = normalization(place.channels, config)
        self.relu1 = nn.ReLU()
        self.dropout = Dropout(config.dropout) if config.dropout else None
        self.conv2 = convolution(place.channels, place.channels, 3, 1, config)
        self.bn2 = normalization(place.channels, config)
        self.relu2 = nn.ReLU()

    def residual(self, x: Tensor) -> Tensor:
        """F(x) = W2 relu(W1 x), BN after each."""
        residual: Tensor = self.bn2(self.layers(x))
        return residual

    def layers(self, x: Tensor) -> Tensor:
        """F(x) before its last BN."""
        out = rectified(self.bn1, self.relu1, self.conv1(x))
        if self.dropout is not None:
            out = self.dropout(out)
        last: Tensor = self.conv2(out)
        return last

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        return self.without(x) if self.skips() else self.rectified_sum(self.bn2, self.relu2, self.layers(x), x)

    def without(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        y: Tensor = self.relu2(self.carry(x))
        return y


class Bottleneck(Block):
    """1x1, 3x3, 1x1: the 3x3 layer works on a quarter of the channels (Fig. 5, right)."""

    expansion = 4
    responses = {"conv2": "bn2"}

    def add_layers(self, config: NetworkConfig, place: Place) -> None:
        """1x1, 3x3, 1x1."""
        in_first, in_second = bottleneck_strides(config, place)
        self.conv1 = convolution(place.in_channels, place.channels, 1, in_first, config)
        self.bn1 = normalization(place.channels, config)
        self.relu1 = nn.ReLU()
        self.conv2 = convolution(place.channels, place.channels, 3, in_second, config)
        self.bn2 = normalization(place.channels, config)
        self.relu2 = nn.ReLU()
        self.conv3 = convolution(place.channels, place.channels * self.expansion, 1, 1, config)
        self.bn3 = normalization(place.channels * self.expansion, config)
        self.relu3 = nn.ReLU()

    def residual(self, x: Tensor) -> Tensor:
        """F(x), BN after each layer."""
        residual: Tensor = self.bn3(self.layers(x))
        return residual

    def layers(self, x: Tensor) -> Tensor:
        """F(x) before its last BN."""
        out = rectified(self.bn1, self.relu1, self.conv1(x))
        out = rectified(self.bn2, self.relu2, self.conv2(out))
        last: Tensor = self.conv3(out)
        return last

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        return self.without(x) if self.skips() else self.rectified_sum(self.bn3, self.relu3, self.layers(x), x)

    def without(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        y: Tensor = self.relu3(self.carry(x))
        return y


class PreactivationBlock(Block):
    """BN and ReLU before each layer; nothing after the sum, so the shortcut is never interrupted (He 2016).

    A projection, and the shortcut of the network's first block, begin after the first activation.
    """

    responses = {"conv1": "bn2", "conv2": "conv2"}

    def add_layers(self, config: NetworkConfig, place: Place) -> None:
        """3x3, 3x3."""
        self.shares_activation = place.first
        self.bn1 = normalization(place.in_channels, config)
        self.relu1 = nn.ReLU()
        self.conv1 = convolution(place.in_channels, place.channels, 3, place.stride, config)
        self.bn2 = normalization(place.channels, config)
        self.relu2 = nn.ReLU()
        self.dropout = Dropout(config.dropout) if config.dropout else None
        self.conv2 = convolution(place.channels, place.channels, 3, 1, config)

    def residual(self, x: Tensor) -> Tensor:
        """F of the activated input."""
        out = rectified(self.bn2, self.relu2, self.conv1(x))
        if self.dropout is not None:
            out = self.dropout(out)
        residual: Tensor = self.conv2(out)
        return residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        activated = rectified(self.bn1, self.relu1, x)
        start = activated if self.starts_activated else x
        return self.carry(start) if self.skips() else self.join(self.residual(activated), start)

    def without(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        return self.carry(rectified(self.bn1, self.relu1, x) if self.starts_activated else x)

    @property
    def starts_activated(self) -> bool:
        """Whether the shortcut begins after the first activation."""
        return self.shares_activation or isinstance(self.shortcut, ProjectionShortcut)


class PreactivationBottleneck(PreactivationBlock):
    """1x1, 3x3, 1x1 with BN and ReLU before each (He 2016)."""

    expansion = 4
    responses = {"conv2": "bn3"}

    def add_layers(self, config: NetworkConfig, place: Place) -> None:
        """1x1, 3x3, 1x1."""
        in_first, in_second = bottleneck_strides(config, place)
        self.shares_activation = place.first
        self.bn1 = normalization(place.in_channels, config)
        self.relu1 = nn.ReLU()
        self.conv1 = convolution(place.in_channels, place.channels, 1, in_first, config)
        self.bn2 = normalization(place.channels, config)
        self.relu2 = nn.ReLU()
        self.conv2 = convolution(place.channels, place.channels, 3, in_second, config)
        self.bn3 = normalization(place.channels, config)
        self.relu3 = nn.ReLU()
        self.conv3 = convolution(place.channels, place.channels * self.expansion, 1, 1, config)

    def residual(self, x: Tensor) -> Tensor:
        """F of the activated input."""
        out = self.conv2(rectified(self.bn2, self.relu2, self.conv1(x)))
        residual: Tensor = self.conv3(rectified(self.bn3, self.relu3, out))
        return residual


class HighwayBlock(BasicBlock):
    """y = T(x) H(x) + (1 - T(x)) x: H are two 3x3 layers with a ReLU after each, T is a learnt gate.

    Where the shape changes, what is carried changes as in option A.
    """

    def add_join(self, config: NetworkConfig, place: Place) -> None:
        """The gate."""
        self.gate = Gate(place.in_channels, place.channels, place.stride)
        self.mix = Mix()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        assert self.shortcut is not None
        y: Tensor = self.mix(self.gate(x), rectified(self.bn2, self.relu2, self.layers(x)), self.shortcut(x))
        return y

    def without(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride): the gate closed."""
        assert self.shortcut is not None
        carried: Tensor = self.shortcut(x)
        return carried


def bottleneck_strides(config: NetworkConfig, place: Place) -> tuple[int, int]:
    """Strides of the first 1x1 layer and of the 3x3 layer."""
    return (place.stride, 1) if config.stride_in == "1x1" else (1, place.stride)


BLOCK_TYPES: dict[str, type[Block]] = {"basic": BasicBlock, "bottleneck": Bottleneck}
"""By the kind of block; `explorer.families.BLOCKS` has the same keys."""
_PREACTIVATED: dict[str, type[Block]] = {"basic": PreactivationBlock, "bottleneck": PreactivationBottleneck}


def block_type(config: NetworkConfig) -> type[Block]:
    """The kind of block that a network is made of."""
    if config.shortcut == "gate":
        return HighwayBlock
    return (_PREACTIVATED if config.preactivation else BLOCK_TYPES)[config.block]
