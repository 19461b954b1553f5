"""Where does a network look in many images of one class? Means of maps over them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.attribution.explain import attributions
from explorer.attribution.methods import usual

_BATCH = 4


@dataclass(frozen=True)
class Means:
    """Of the images seen so far."""

    images: int
    maps: dict[str, NDArray[np.float32]]
    """By method: the mean of |values|, (H, W), each map divided by its own mean |value|, so that all count alike."""


def mean_maps(network: nn.Module, images: Tensor, targets: Sequence[int], methods: Sequence[str]) -> Iterator[Means]:
    """The mean absolute maps of normalised images (N, 3, H, W) for their classes, after each few of them.

    1 is a pixel that counts as much as the average one. A map without values counts as none.
    """
    sums = {method: np.zeros(images.shape[-2:]) for method in methods}
    for first in range(0, len(images), _BATCH):
        batch, wanted = images[first : first + _BATCH], targets[first : first + _BATCH]
        for method in methods:
            for one in attributions(network, batch, wanted, method, **usual(method)):
                size = np.abs(one.values, dtype=np.float64)
                sums[method] += size / max(float(size.mean()), 1e-30)
        seen = min(first + _BATCH, len(images))
        yield Means(seen, {method: (total / seen).astype(np.float32) for method, total in sums.items()})
