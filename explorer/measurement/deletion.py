"""Does the score fall when the pixels that a map calls important are taken away, and rise when they are put in?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

POINTS = 21


@dataclass(frozen=True)
class Curves:
    """Softmax probability of the class while pixels are taken away, or put in, the most important first."""

    shares: tuple[float, ...]
    """Of the pixels changed, 0 to 1."""
    deletion: tuple[float, ...]
    """From the whole image to the baseline: the faster it falls the better."""
    insertion: tuple[float, ...]
    """From the baseline to the whole image: the faster it rises the better."""

    @property
    def deletion_area(self) -> float:
        """Under the curve, 0..1, by trapezoids."""
        return _area(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Under the curve, 0..1, by trapezoids."""
        return _area(self.insertion)


def deletion_and_insertion(
    network: nn.Module, image: Tensor, baseline: Tensor, target: int, values: NDArray[np.float32], points: int = POINTS
) -> Curves:
    """The curves of a map (H, W) of a normalised image (3, H, W) (Petsiuk, Das, Saenko 2018), network as it is.

    Pixels go in the order of their values, the largest first, all channels at once, equal ones from the top left.
    """
    order = np.argsort(-values.ravel(), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    shares = np.linspace(0, 1, points)
    counts = torch.from_numpy(np.round(shares * order.size).astype(np.int64))
    changed = torch.from_numpy(rank.reshape(values.shape)) < counts[:, None, None]
    chosen = changed[:, None].to(image.device)
    with torch.no_grad():
        without, only = (
            network(torch.where(chosen, inside, outside)).softmax(dim=1)[:, target].tolist()
            for inside, outside in ((baseline, image), (image, baseline))
        )
    return Curves(tuple(shares.tolist()), tuple(without), tuple(only))


def _area(values: Sequence[float]) -> float:
    return fmean((first + second) / 2 for first, second in zip(values, values[1:], strict=False))
