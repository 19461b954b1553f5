"""The parts of the networks, as section 3 of the paper names them, and those of its relatives.

Each module is called exactly once in a forward pass and changes nothing in place, so that hooks, DeepLift and
LRP can follow what happens.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.config import NetworkConfig


def convolution(in_channels: int, out_channels: int, kernel: int, stride: int, config: NetworkConfig) -> nn.Conv2d:
    """A convolution that keeps the size at stride 1; no bias where BN follows it."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=not config.bn)


def normalization(channels: int, config: NetworkConfig) -> nn.Module:
    """BN, or nothing."""
    return nn.BatchNorm2d(channels) if config.bn else nn.Identity()


class IdentityShortcut(nn.Module):
    """Option A: the identity; where the shape changes, every second pixel and zeros for the new channels.

    The paper does not say where the zero channels go; here they come after the others, or half of them before.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, zeros: str = "after") -> None:
        super().__init__()
        self.new_channels = out_channels - in_channels
        self.before = self.new_channels // 2 if zeros == "around" else 0
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        if self.stride == 1 and not self.new_channels:
            return x
        sides = (self.before, self.new_channels - self.before)
        # Every second pixel; a slice's gradient would come back with its channels first, which slows what follows
        kept = functional.avg_pool2d(x, kernel_size=1, stride=self.stride)
        return functional.pad(kept, (0, 0, 0, 0, *sides))


class ProjectionShortcut(nn.Module):
    """Options B and C: a 1x1 convolution and BN (equation 2)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, config: NetworkConfig) -> None:
        super().__init__()
        self.conv = convolution(in_channels, out_channels, 1, stride, config)
        self.bn = normalization(out_channels, config)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        projected: Tensor = self.bn(self.conv(x))
        return projected


def shortcut(in_channels: int, out_channels: int, stride: int, config: NetworkConfig) -> nn.Module | None:
    """The shortcut of a block for option none, A, B, C (section 4.1) or gate, which carries as A does."""
    changes_shape = stride != 1 or in_channels != out_channels
    if config.shortcut == "none":
        return None
    if config.shortcut == "C" or (config.shortcut == "B" and changes_shape):
        return ProjectionShortcut(in_channels, out_channels, stride, config)
    return IdentityShortcut(in_channels, out_channels, stride, config.zeros)


class Add(nn.Module):
    """F(x) + x, a module of its own so that hooks and attribution rules can see the sum."""

    def forward(self, residual: Tensor, carried: Tensor) -> Tensor:
        """The element-wise sum of two tensors of one shape."""
        return residual + carried


class Gate(nn.Module):
    """T(x) of a Highway network: a 1x1 convolution with a bias, then a sigmoid; one value a channel and place."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride), in 0..1."""
        openness: Tensor = self.sigmoid(self.conv(x))
        return openness


class Mix(nn.Module):
    """T H + (1 - T) x: a gate decides how much of the layers passes and how much of the input."""

    def forward(self, gate: Tensor, transformed: Tensor, carried: Tensor) -> Tensor:
        """Three tensors of one shape, the gate in 0..1."""
        return gate * transformed + (1 - gate) * carried


class Times(nn.Module):
    """A constant factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, kept."""
        return self.factor * x


class Scale(nn.Module):
    """A learnt factor that starts at 0: at the start a block is its shortcut (SkipInit, ReZero)."""

    def __init__(self) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, kept."""
        return self.alpha * x


class Chance(nn.Module):
    """What draws in training: from a generator of its own, which `build` seeds, so that no other draw disturbs it."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator(device="cpu")


class Dropout(Chance):
    """Training sets values to 0 with this probability and makes up for it in the others (Srivastava et al. 2014)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, kept."""
        if not self.training:
            return x
        kept = torch.rand(x.shape, generator=self.generator, device="cpu") >= self.probability
        return x * (kept.to(x.device, x.dtype) / (1 - self.probability))


class StochasticDepth(Chance):
    """Training leaves a block out with probability 1 - survival, for a whole batch; later F counts that much less."""

    def __init__(self, survival: float) -> None:
        super().__init__()
        self.survival = survival

    def skips(self) -> bool:
        """Draw, in training, whether this step leaves the block out."""
        return self.training and bool(torch.rand((), generator=self.generator, device="cpu") >= self.survival)

    def forward(self, residual: Tensor) -> Tensor:
        """Any shape, kept."""
        return residual if self.training else self.survival * residual
