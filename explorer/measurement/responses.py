"""How strongly does each layer respond? Figure 7 of the paper."""

import torch
from torch import Tensor, nn

from explorer.measurement.borrowing import borrowed
from explorer.networks.residual import response_layers
from explorer.records import LayerResponse


def layer_responses(network: nn.Module, images: Tensor, own_statistics: bool = False) -> tuple[LayerResponse, ...]:
    """Standard deviation over images, channels and places of every 3x3 layer's response, in layer order.

    `images` is a normalised batch (N, 3, H, W). With `own_statistics` BN normalises with this batch's mean and
    variance, as in training; then each value is sqrt(mean gamma^2 + var beta), 1 at initialisation. Otherwise BN
    uses what it gathered in training. The paper does not say on which images it measured. The network is left as
    it was found, gathered statistics too.
    """
    stds: dict[str, Tensor] = {}

    def keep(layer: str) -> "nn.modules.module._ForwardHook":  # type: ignore[name-defined]
        return lambda _module, _inputs, response: stds.__setitem__(layer, response.float().std(correction=0))

    layers = response_layers(network)
    handles = [module.register_forward_hook(keep(name)) for name, module in layers.items()]
    try:
        with borrowed(network, own_statistics), torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    values = torch.stack([stds[name] for name in layers]).tolist()
    return tuple(
        LayerResponse(name, std, _predicted(module)) for (name, module), std in zip(layers.items(), values, strict=True)
    )


def _predicted(module: nn.Module) -> float | None:
    if not isinstance(module, nn.BatchNorm2d):
        return None
    gamma, beta = module.weight.detach(), module.bias.detach()
    return float((gamma.square().mean() + beta.var(correction=0)).sqrt())
