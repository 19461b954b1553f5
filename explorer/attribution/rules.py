"""What LRP and DeepLIFT need of a network, done to a copy that nobody else holds.

Captum's LRP knows neither the sums of residual networks nor their relatives' parts, and its rule lets biases swallow
relevance: on a trained network most of it, since BN has a shift in each layer. So each affine layer of the copy is
made homogeneous. Its shift b becomes b * s / c, where s is the sum of |inputs| that the output sees and c the same
number, held constant: the value stays, but the whole output now grows with the inputs, and captum's epsilon rule hands
all of it back to them, the shift's share in proportion to |input|. (Equal shares, as in Bach et al. 2015, would put
relevance on neurons that are silent, and dividing by what they put out would make it explode.)
"""

import torch
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import Tensor, nn
from torch.nn import functional

from explorer.networks.blocks import Mix

_HANDLED = (nn.ReLU, nn.Dropout, nn.Tanh)  # captum passes relevance through these as it is


def with_rules(network: nn.Module, images: Tensor, epsilon: float) -> nn.Module:
    """The network, changed so that captum's LRP conserves relevance on it; its outputs stay what they were.

    BN is folded into the layer before it where there is one. A sum hands relevance to both its parts by what each put
    in (captum's addition rule). A gate counts as a constant, so what passed through it gets everything (Arras et al.
    2017).
    """
    _fold(network, images)
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
                parent.add_module(name, _Homogeneous(child))
            elif isinstance(child, Mix):
                parent.add_module(name, _ConstantGate())
    for module in network.modules():
        if not list(module.children()) and not isinstance(module, _HANDLED):
            module.rule = EpsilonRule(epsilon)
            module.register_forward_hook(_own_tensor)
    return network


def with_multipliers(network: nn.Module) -> nn.Module:
    """The network, changed so that captum's DeepLIFT is complete on gates too.

    Its rescale rule is for functions of one thing. The change of a product is the change of each factor times the mean
    of the other before and after; with that as the slope, nothing is lost.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Mix):
                parent.add_module(name, _MeanSlopeMix())
    return network


class _Homogeneous(nn.Module):
    """An affine layer whose shift grows with its inputs: y(ax) = a y(x) for a > 0 near a = 1."""

    def __init__(self, layer: nn.Conv2d | nn.Linear | nn.BatchNorm2d) -> None:
        super().__init__()
        self.stride, self.padding = getattr(layer, "stride", (1, 1)), getattr(layer, "padding", (0, 0))
        self.groups: int = getattr(layer, "groups", 1)
        self.kind: type[nn.Module] = type(layer)
        weight, shift = layer.weight, layer.bias
        if isinstance(layer, nn.BatchNorm2d):
            weight, shift = scale_and_shift(layer)
        self.register_buffer("weight", weight.detach())
        self.register_buffer("shift", weight.new_zeros(len(weight)) if shift is None else shift.detach())

    def forward(self, x: Tensor) -> Tensor:
        """What the layer puts out."""
        weight, shift = self.get_buffer("weight"), self.get_buffer("shift")
        if self.kind is nn.Linear:
            return functional.linear(x, weight) + shift * _one(x.abs().sum(dim=1, keepdim=True))
        if self.kind is nn.BatchNorm2d:
            size = x.abs().sum(dim=(2, 3), keepdim=True)
            return x * weight[:, None, None] + shift[:, None, None] * _one(size)
        window = torch.ones(self.groups, 1, *weight.shape[2:], dtype=x.dtype, device=x.device)
        inputs = x.abs().reshape(len(x), self.groups, -1, *x.shape[2:]).sum(dim=2)
        size = functional.conv2d(inputs, window, None, self.stride, self.padding, groups=self.groups)
        size = size.repeat_interleave(len(weight) // self.groups, dim=1) if self.groups > 1 else size
        # Where a window sees nothing but silence, the shift belongs to all that the layer sees.
        size = torch.where(size > 0, size, x.abs().sum(dim=(1, 2, 3), keepdim=True))
        out = functional.conv2d(x, weight, None, self.stride, self.padding, groups=self.groups)
        return out + shift[:, None, None] * _one(size)


class _ConstantGate(nn.Module):
    """T H + (1 - T) x with T held."""

    def forward(self, gate: Tensor, transformed: Tensor, carried: Tensor) -> Tensor:
        """As `Mix`."""
        held = gate.detach()
        return held * transformed + (1 - held) * carried


class _MeanSlopeMix(nn.Module):
    """T H + (1 - T) x whose slopes are means over a batch's first half, the images, and its second, the baselines."""

    def forward(self, gate: Tensor, transformed: Tensor, carried: Tensor) -> Tensor:
        """As `Mix`, (2N, C, H, W) each."""
        exact = gate * transformed + (1 - gate) * carried
        held = _mean_of_halves(gate)
        sloped = _mean_of_halves(transformed - carried) * gate + held * transformed + (1 - held) * carried
        return sloped + (exact - sloped).detach()


def scale_and_shift(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What BN in evaluation mode does to each channel: y = scale * x + shift, (C,) each."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = bn.weight * (bn.running_var + bn.eps).rsqrt()
    return scale, bn.bias - bn.running_mean * scale


def _fold(network: nn.Module, images: Tensor) -> None:
    """Make each BN that reads a convolution's output part of that convolution, and an identity in its place."""
    made_by: dict[int, nn.Conv2d] = {}
    kept: list[Tensor] = []  # else another tensor might come to lie where one of these was
    pairs: list[tuple[nn.BatchNorm2d, nn.Conv2d]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            made_by[id(output)] = module
            kept.append(output)
        elif isinstance(module, nn.BatchNorm2d) and id(inputs[0]) in made_by:
            pairs.append((module, made_by[id(inputs[0])]))

    handles = [module.register_forward_hook(note) for module in network.modules()]
    with torch.no_grad():
        network(images[:1])
    for handle in handles:
        handle.remove()
    places = {child: (parent, name) for parent in network.modules() for name, child in parent.named_children()}
    for bn, conv in pairs:
        scale, shift = scale_and_shift(bn)
        old = torch.zeros_like(shift) if conv.bias is None else conv.bias
        conv.weight = nn.Parameter(conv.weight * scale[:, None, None, None], requires_grad=False)
        conv.bias = nn.Parameter(old * scale + shift, requires_grad=False)
        parent, name = places[bn]
        parent.add_module(name, nn.Identity())


def _own_tensor(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """A layer's output as a tensor of its own: a shortcut hands on its input, on which captum's hooks sit already."""
    return output.clone()


def _one(size: Tensor) -> Tensor:
    """1, with the slope of size / |size|; where there is no input at all, without one."""
    return torch.where(size > 0, size / size.detach().clamp(min=torch.finfo(size.dtype).tiny), 1.0)


def _mean_of_halves(x: Tensor) -> Tensor:
    first, second = x.detach().chunk(2)
    return ((first + second) / 2).repeat(2, 1, 1, 1)
