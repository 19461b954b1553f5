"""How often is a network wrong? Logits and errors on fixed images, in evaluation mode."""

import torch
from torch import Tensor, nn

from explorer.data.prepared import Normalization
from explorer.device import autocast

BATCH = 250


def logits(network: nn.Module, images: Tensor, normalization: Normalization, precision: str = "fp32") -> Tensor:
    """(N, classes) float32 logits of uint8 images (N, 3, H, W); the network's mode is left as it was found."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode(), autocast(images.device.type, precision):
            return torch.cat([network(normalization(batch)).float() for batch in torch.split(images, BATCH)])
    finally:
        network.train(was_training)


def wrong(logits: Tensor, labels: Tensor, top: int = 1) -> Tensor:
    """(N,) bool: whether the label is not among the `top` classes with the largest logits."""
    best = logits.topk(min(top, logits.shape[1]), dim=1).indices
    return (best != labels[:, None]).all(dim=1)


def error(logits: Tensor, labels: Tensor, top: int = 1) -> float:
    """The fraction of images that are `wrong`."""
    return int(wrong(logits, labels, top).sum()) / len(labels)
