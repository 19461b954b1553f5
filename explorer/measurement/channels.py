"""How differently do the channels of a layer respond? Figure 7's standard deviation, channel by channel."""

import torch
from torch import nn

from explorer.networks.residual import response_layers
from explorer.records import ChannelSpread

_QUANTILES = (0.1, 0.5, 0.9)


def channel_spreads(network: nn.Module) -> tuple[ChannelSpread, ...]:
    """Tenth, half and nine tenths of the channels of every 3x3 layer respond with less than these, in layer order.

    A channel's response has the standard deviation |gamma| where BN normalises with the images' own statistics, so no
    images are needed. Empty for a network without BN.
    """
    found = []
    for layer, module in response_layers(network).items():
        if isinstance(module, nn.BatchNorm2d):
            low, middle, high = module.weight.detach().abs().quantile(torch.tensor(_QUANTILES)).tolist()
            found.append(ChannelSpread(layer, low, middle, high))
    return tuple(found)
