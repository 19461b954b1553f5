"""How strongly does each layer respond? Figure 7 of the paper."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from explorer.measurement.borrowing import borrowed
from explorer.measurement.moments import listening
from explorer.networks.residual import response_layers
from explorer.records import LayerResponse


def layer_responses(network: nn.Module, images: Tensor, own_statistics: bool = False) -> tuple[LayerResponse, ...]:
    """Standard deviation over images, channels and places of every 3x3 layer's response, in layer order.

    `images` is a normalised batch (N, 3, H, W). With `own_statistics` BN normalises with this batch's mean and
    variance, as in training; then each value is sqrt(mean gamma^2 + var beta), 1 at initialisation. Otherwise BN
    uses what it gathered in training. The paper does not say on which images it measured. The network is left as
    it was found, gathered statistics too.
    """
    with responses_heard(network) as found, borrowed(network, own_statistics), torch.no_grad():
        network(images)
    return found()


@contextmanager
def responses_heard(network: nn.Module) -> Iterator[Callable[[], tuple[LayerResponse, ...]]]:
    """The same of all images that go through the network while the context lasts; call what it gives afterwards."""
    layers = response_layers(network)
    with listening({name: (module, lambda _, output: output) for name, module in layers.items()}) as moments:
        yield lambda: tuple(LayerResponse(name, moments[name].std, _predicted(layers[name])) for name in layers)


def _predicted(module: nn.Module) -> float | None:
    if not isinstance(module, nn.BatchNorm2d):
        return None
    gamma, beta = module.weight.detach(), module.bias.detach()
    return float((gamma.square().mean() + beta.var(correction=0)).sqrt())
