"""Networks that the paper compares with, as torchvision builds them: for counting and drawing."""

from torch import nn
from torchvision import models

from explorer.config import NetworkConfig


def whole(config: NetworkConfig) -> nn.Module:
    """VGG-16 or -19 (with BN on demand) or GoogLeNet without its auxiliary classifiers.

    torchvision's GoogLeNet has BN, and 3x3 layers where the original has 5x5.
    """
    if config.block == "inception":
        network: nn.Module = models.googlenet(
            weights=None, init_weights=False, aux_logits=False, num_classes=config.classes
        )
        return network
    makers = {16: (models.vgg16, models.vgg16_bn), 19: (models.vgg19, models.vgg19_bn)}
    vgg: nn.Module = makers[config.depth][config.bn](weights=None, init_weights=False, num_classes=config.classes)
    return vgg
