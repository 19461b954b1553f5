"""An image set: all images of one source as uint8 tensors, read once."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageSet:
    """Training and test images with their labels.

    Images are uint8 of shape (N, 3, H, W), labels int64 of shape (N,), both on the CPU and never written to.
    """

    name: str
    """`name@fingerprint`, what `RunConfig.data` holds."""
    description: str
    """In words, for people: what it is and what must be known about it."""
    classes: tuple[str, ...]
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
