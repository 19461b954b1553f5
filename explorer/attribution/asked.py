"""What several methods ask of the network and the images that they get. No torch here before it is called."""

import warnings
from typing import TYPE_CHECKING

from explorer.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor, nn


def stage(network: "nn.Module", layer: str) -> "nn.Module":
    """A stage of the network by its name, the last for an empty one. RequestError for one that it does not have."""
    stages = [name for name, _ in network.named_children() if name.startswith("stage")]
    if not stages or layer not in ("", *stages):
        raise RequestError(f"this network has no stage {layer!r}: it has {', '.join(stages) or 'none at all'}")
    return network.get_submodule(layer or stages[-1])


def value_range(images: "Tensor") -> float:
    """From the darkest value to the brightest, what noise is a share of."""
    return float(images.detach().max() - images.detach().min())


def expect_hooks() -> None:
    """Silence captum's notice that it sets hooks: they sit on a copy that is thrown away.

    `warnings.catch_warnings` would do it for one call only, but is not safe with threads.
    """
    warnings.filterwarnings("ignore", message="Setting (forward, )?backward hooks", category=UserWarning)
