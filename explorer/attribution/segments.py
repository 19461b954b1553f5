"""An image cut into patches of like colour, so that methods can hide things rather than single pixels."""

import torch
from torch import Tensor

_ROUNDS = 10
_COMPACTNESS = 0.5  # standard deviations of colour that weigh as much as the distance between two centres


def segments(image: Tensor, count: int) -> Tensor:
    """int64 (H, W), about `count` patches numbered from 0 without gaps, of one image (3, H, W) float.

    k-means over colour and place from a regular grid of centres (SLIC, Achanta et al. 2012), without its limit on
    how far a pixel looks and without joining stray pixels. Nothing is drawn: the same image gives the same patches.
    """
    height, width = image.shape[1:]
    rows = max(1, min(height, round((count * height / width) ** 0.5)))
    columns = max(1, min(width, round(count / rows)))
    spacing = (height * width / (rows * columns)) ** 0.5
    down, right = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([down, right]).flatten(1).T.to(image) / spacing
    colours = image.detach().flatten(1).T / (_COMPACTNESS * image.detach().std().clamp(min=1e-6))
    points = torch.cat([places, colours], dim=1)
    starts = (_middles(height, rows)[:, None] * width + _middles(width, columns)).flatten()
    centres = points[starts]
    for _ in range(_ROUNDS):
        nearest = torch.cdist(points, centres).argmin(dim=1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=len(centres))[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    numbered: Tensor = torch.unique(nearest, return_inverse=True)[1]
    return numbered.reshape(height, width)


def _middles(length: int, count: int) -> Tensor:
    """The middles of `count` equal parts of a side."""
    return ((torch.arange(count) + 0.5) * length / count).long()
