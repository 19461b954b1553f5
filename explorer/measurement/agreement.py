"""How alike are two maps of one image?"""

import numpy as np
from numpy.typing import NDArray

TOP = 0.1
"""The share of pixels that counts as the top of a map."""


def rank_correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float | None:
    """Spearman's correlation over the pixels, -1..1, ties at their mean rank; None where a map is flat."""
    a, b = (_ranks(values.ravel()) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    sizes = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / sizes if sizes > 0 else None


def top_overlap(first: NDArray[np.float32], second: NDArray[np.float32], share: float = TOP) -> float:
    """Of the `share` of pixels with the largest values in one map the part that is in the other's too, 0..1.

    By chance it is about `share`. Among equal values the earlier pixel counts as larger.
    """
    count = max(1, round(share * first.size))
    a, b = (np.argsort(-values.ravel(), kind="stable")[:count] for values in (first, second))
    return len(np.intersect1d(a, b)) / count


def _ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle: NDArray[np.float64] = ends - (counts + 1) / 2
    return middle[place]
