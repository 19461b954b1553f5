"""The parts of a residual network, as section 3 of the paper names them.

Each module is called exactly once in a forward pass and changes nothing in place, so that hooks, DeepLift and
LRP can follow what happens.
"""

from torch import Tensor, nn
from torch.nn import functional


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution with padding 1 and no bias, since BN follows it."""
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False)


class IdentityShortcut(nn.Module):
    """Option A: the identity; where the shape changes, every second pixel and zeros for the new channels.

    The paper does not say where the zero channels go; here they come after the others.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = out_channels - in_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        if self.stride == 1 and not self.new_channels:
            return x
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


class ProjectionShortcut(nn.Module):
    """Options B and C: a 1x1 convolution and BN (equation 2)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        projected: Tensor = self.bn(self.conv(x))
        return projected


class Add(nn.Module):
    """F(x) + x, a module of its own so that hooks and attribution rules can see the sum."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        """The element-wise sum of two tensors of one shape."""
        return residual + shortcut


def shortcut(option: str, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """The shortcut of a block for option none, A, B or C (section 4.1)."""
    changes_shape = stride != 1 or in_channels != out_channels
    if option == "none":
        return None
    if option == "C" or (option == "B" and changes_shape):
        return ProjectionShortcut(in_channels, out_channels, stride)
    return IdentityShortcut(in_channels, out_channels, stride)


class BasicBlock(nn.Module):
    """Two 3x3 layers F and what is added to them (Fig. 2); without a shortcut, just the two layers."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, option: str) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu1 = nn.ReLU()
        self.conv2 = conv3x3(out_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = shortcut(option, in_channels, out_channels, stride)
        self.add = Add() if self.shortcut is not None else None
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride)."""
        out: Tensor = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.shortcut is not None and self.add is not None:
            out = self.add(out, self.shortcut(x))
        activated: Tensor = self.relu2(out)
        return activated
