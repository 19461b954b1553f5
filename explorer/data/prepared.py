"""What a recipe makes of an image set: which images, how large, how normalised, on which device."""

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.config import TrainingConfig
from explorer.data.augmentation import channel_statistics, pixel_mean, prepare
from explorer.data.image_set import ImageSet
from explorer.errors import RequestError
from explorer.language import tr

_SHUFFLE_SEED = 0  # of the subsets; the same images whatever the seed of a run


@dataclass(frozen=True)
class Normalization:
    """uint8 images to the floats that a network was trained on."""

    mean: Tensor
    """(3, H, W) per pixel (section 4.2) or (3, 1, 1) per channel, in 0..1."""
    std: Tensor
    """(3, 1, 1), in 0..1."""

    def __call__(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 to float32 in channels_last order."""
        scaled = images.float().div_(255).sub_(self.mean).div_(self.std)
        return scaled.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class PreparedData:
    """All that a run reads: uint8 images (N, 3, size, size) and int64 labels (N,) on one device."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    clean: int
    """The first so many training images are the clean subset."""
    normalization: Normalization


def prepared(images: ImageSet, config: TrainingConfig, device: str = "cpu") -> PreparedData:
    """Choose, scale and move the images that `config` asks for; a wish that the set cannot fill is refused."""
    train = _shuffled(len(images.train_images))
    test = _shuffled(len(images.test_images))
    kept = len(train) - config.held_out
    wanted = config.train_images or kept
    if wanted > kept or kept < 1:
        raise RequestError(
            tr(
                "{images} has {there} training images, {wanted} were asked for",
                images=images.name,
                there=kept,
                wanted=wanted,
            )
        )
    if config.held_out:
        test_images, test_labels, test = images.train_images, images.train_labels, train[kept:]
    else:
        test_images, test_labels = images.test_images, images.test_labels
    if config.test_images > len(test):
        raise RequestError(
            tr(
                "{images} has {there} test images, {wanted} were asked for",
                images=images.name,
                there=len(test),
                wanted=config.test_images,
            )  # fmt: skip
        )
    train, test = train[:wanted], test[: config.test_images or len(test)]
    train_images = prepare(images.train_images[train], config.image_size)
    return PreparedData(
        train_images=train_images.to(device),
        train_labels=images.train_labels[train].to(device),
        test_images=prepare(test_images[test], config.image_size).to(device),
        test_labels=test_labels[test].to(device),
        clean=min(config.clean_images, wanted),
        normalization=_normalization(train_images, config.normalization, device),
    )


def _shuffled(count: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(_SHUFFLE_SEED))


def _normalization(images: Tensor, kind: str, device: str) -> Normalization:
    if kind == "per-pixel mean":
        return Normalization(pixel_mean(images).to(device), torch.ones(3, 1, 1, device=device))
    mean, std = channel_statistics(images)
    return Normalization(mean.to(device), std.to(device))
