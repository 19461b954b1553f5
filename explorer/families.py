"""The families of networks, one table: what a family's bare name stands for, and how people are told of it.

Whoever adds a family writes an entry here, and its block in `explorer/networks/residual_blocks.py`. No torch here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.language import later

WHOLE = ("vgg", "inception")
"""Kinds of block that are not made here: such networks are taken whole from torchvision."""
BLOCKS = {"basic": 2, "bottleneck": 3}
"""Kinds of block, each with its weighted layers on the way of F: n of them in three stages make 3·layers·n + 2."""


@dataclass(frozen=True)
class Family:
    """Networks with a name of their own: plain-20, resnet-20 …"""

    label: str
    """For a control; to be `told`."""
    explanation: str = ""
    """What it is, in a line; to be `told`."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `NetworkConfig` that the bare name sets."""
    known_by: str = ""
    """The one of them that no other family sets so: a network that has it is of this family."""
    designs: tuple[str, ...] = ("cifar",)
    """For which images a control offers it; what is for CIFAR can be trained."""


FAMILIES: dict[str, Family] = {
    "plain": Family(
        later("Plain"), later("layers alone"), {"shortcut": "none"}, known_by="shortcut", designs=("cifar", "imagenet")
    ),
    "resnet": Family(later("Residual"), later("F(x) + x, the paper's"), designs=("cifar", "imagenet")),
    "preresnet": Family(
        later("Pre-activation"),
        later("BN and ReLU before each layer, nothing after the sum (He et al. 2016)"),
        {"preactivation": True},
        known_by="preactivation",
    ),
    "highway": Family(
        "Highway",
        later("learnt gates mix layers and input (Srivastava et al. 2015)"),
        {"shortcut": "gate"},
        known_by="shortcut",
    ),
    "skipinit": Family(
        "SkipInit",
        later("no BN, a learnt factor on F that starts at 0 (De and Smith 2020)"),
        {"bn": False, "skipinit": True},
        known_by="skipinit",
    ),
    "vgg": Family(
        "VGG", usual={"shortcut": "none", "block": "vgg", "bn": False}, known_by="block", designs=("imagenet",)
    ),
    "googlenet": Family(
        "GoogLeNet", usual={"shortcut": "none", "block": "inception"}, known_by="block", designs=("imagenet",)
    ),
}
