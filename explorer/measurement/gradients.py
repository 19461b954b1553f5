"""How large is the gradient of each layer's weights? Section 4.1: with BN the plain network's do not vanish."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.measurement.borrowing import borrowed
from explorer.networks.residual import response_layers
from explorer.records import LayerGradient


def layer_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[LayerGradient, ...]:
    """The norm of the loss's gradient with respect to every 3x3 layer's weights, in layer order.

    `images` is a normalised batch (N, 3, H, W), `labels` its classes; the loss is their mean cross-entropy, in float32,
    BN normalising with the batch's own statistics as in training. The network is left as it was found.
    """
    layers = {name: network.get_submodule(name) for name in response_layers(network)}
    weights = [layer.get_parameter("weight") for layer in layers.values()]
    with borrowed(network, own_statistics=True), torch.enable_grad():
        loss = functional.cross_entropy(network(images), labels)
        gradients = torch.autograd.grad(loss, weights)
    norms = torch.stack([gradient.norm() for gradient in gradients]).tolist()
    sizes = torch.stack([weight.detach().norm() for weight in weights]).tolist()
    return tuple(map(LayerGradient, layers, norms, sizes))
