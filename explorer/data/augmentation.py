"""What training does to images: order, scale, statistics, and the paper's augmentation (section 4.2)."""

import numpy as np
import torch
from torch import Tensor

from explorer.config import AUGMENTATIONS
from explorer.errors import RequestError
from explorer.language import tr

PADDING = 4
"""Pixels of zeros on each side before a random crop."""
_CHUNK = 50  # images: wider numbers are made of so few that they stay in the processor's cache


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """int64 (count,): the order of the images in one epoch. The same for every network with this seed."""
    random = np.random.Generator(np.random.PCG64([seed, epoch]))
    return torch.from_numpy(random.permutation(count))


def prepare(images: Tensor, size: int) -> Tensor:
    """uint8 (N, 3, S, S) to uint8 (N, 3, size, size): the exact average over the area of each new pixel, half up.

    Raises RequestError where `size` is larger than the images.
    """
    height, width = images.shape[2:]
    if size > min(height, width):
        raise RequestError(
            tr(
                "the images have {width}×{height} pixels: image_size can be {most} at most",
                width=width,
                height=height,
                most=min(height, width),
            )  # fmt: skip
        )
    if (height, width) == (size, size):
        return images
    rows, columns = _overlaps(height, size), _overlaps(width, size)
    scaled = images.new_empty(*images.shape[:2], size, size)
    for start in range(0, len(images), _CHUNK):
        # Sums of products of whole numbers below 2^53: exact, in whatever order they are added.
        sums = rows @ images[start : start + _CHUNK].double() @ columns.T
        scaled[start : start + _CHUNK] = sums.div_(height * width).add_(0.5).floor_()
    return scaled


def pixel_mean(images: Tensor) -> Tensor:
    """The mean of every pixel of uint8 (N, 3, H, W), as float32 (3, H, W) in 0..1.

    Sums over uint8 are exact integers, so that it depends neither on threads nor on the order of adding.
    """
    total = torch.zeros(images.shape[1:], dtype=torch.int64)
    for part in torch.split(images, _CHUNK):
        total += part.sum(dim=0, dtype=torch.int64)
    return (total.double() / (255 * len(images))).float()


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every channel of uint8 (N, 3, H, W), as float32 (3, 1, 1) in 0..1; exact too."""
    counts = torch.stack([torch.bincount(channel.flatten(), minlength=256) for channel in images.unbind(1)]).double()
    values = torch.arange(256, dtype=torch.float64)
    pixels = counts.sum(dim=1)
    mean = counts @ values / pixels
    std = (counts @ values.square() / pixels - mean.square()).clamp(min=0).sqrt()
    return (mean / 255).float()[:, None, None], (std / 255).float()[:, None, None]


def augment(images: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Normalised images (N, 3, H, W), each changed by draws of its own, in channels_last order; they stay as they are.

    none · flip: mirrored with probability 1/2 · crop+flip: besides, 4 pixels of zeros on each side and a crop of the
    old size at a random place. Zeros go in after the mean is taken off, as in the paper.
    """
    if kind not in AUGMENTATIONS:
        raise RequestError(
            tr("augmentation {kind!r} is unknown: choose one of {known}", kind=kind, known=", ".join(AUGMENTATIONS))
        )
    if kind == "none":
        return images.contiguous(memory_format=torch.channels_last)
    count, padding, device = len(images), PADDING if kind == "crop+flip" else 0, images.device
    mirrored = sent(torch.randint(2, (count, 1), generator=generator, dtype=torch.bool), device)
    down, right = sent(torch.randint(2 * padding + 1, (2, count, 1), generator=generator), device)
    columns = torch.arange(images.shape[3], device=device)
    columns = torch.where(mirrored, columns.flip(0), columns) + right
    return _gathered(_padded(images, padding), torch.arange(images.shape[2], device=device) + down, columns)


def sent(values: Tensor, device: torch.device | str) -> Tensor:
    """Values of the CPU on `device`, for which a CUDA GPU need not finish what it is doing."""
    # Not pinned: the driver has taken the values when this returns. Nothing of that kind is known of other devices
    return values.to(device, non_blocking=torch.device(device).type == "cuda")


def _overlaps(old: int, new: int) -> Tensor:
    """float64 (new, old): how much of each old pixel lies in each new one, in parts of an old pixel by `new`."""
    old_starts, new_starts = torch.arange(old) * new, (torch.arange(new) * old)[:, None]
    ends = torch.minimum(old_starts + new, new_starts + old)
    return (ends - torch.maximum(old_starts, new_starts)).clamp(min=0).double()


def _padded(images: Tensor, padding: int) -> Tensor:
    """(N, H + 2 padding, W + 2 padding, 3), contiguous."""
    last = images.permute(0, 2, 3, 1)
    if not padding:
        return last.contiguous()
    count, height, width, channels = last.shape
    padded = images.new_zeros(count, height + 2 * padding, width + 2 * padding, channels)
    padded[:, padding : padding + height, padding : padding + width] = last
    return padded


def _gathered(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """From (N, H, W, 3) the pixels at each image's rows (N, h) and columns (N, w): (N, 3, h, w), channels_last.

    One index_select of whole pixels: the fastest of six ways measured at these sizes.
    """
    count, height, width, channels = images.shape
    lines = torch.arange(count, device=images.device)[:, None] * height + rows
    places = lines[:, :, None] * width + columns[:, None, :]
    pixels = images.view(-1, channels).index_select(0, places.flatten())
    return pixels.view(*places.shape, channels).permute(0, 3, 1, 2)
