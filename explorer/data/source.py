"""Where images come from: what can be said before, and what is there after they are read. No torch here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.language import later, retold

CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
CIFAR10_LICENCE = (
    "CIFAR-10 comes without a licence; its authors ask to cite Krizhevsky, Learning Multiple Layers of Features "
    "from Tiny Images, 2009. The photographs were gathered from the web and belong to their owners."
)
OWN_LICENCE = "Your own images: their licence is whatever you obtained them under."

CIFAR10 = later("CIFAR-10 as published: photographs of 32×32 pixels in ten classes")
CIFAR10_OTHER = later("Images in the files of CIFAR-10 but not the published ones")
CIFAR10_JPEG = later("CIFAR-10 re-encoded as JPEG, which loses detail: errors do not compare with published ones")
CIFAR10_PARQUET = later("CIFAR-10 from Parquet files ({format}): {train} training and {test} test images")
PARQUET = later("{train} training and {test} test images of {size} pixels in {classes} classes, from Parquet files")
FOLDER = later("Your images: {train} for training and {test} for testing, {size} pixels, in {classes} classes")
DRAWN = later(
    "Generated shapes, not photographs: five shapes in two textures, tuned until shallow networks learn them in a "
    "brief run"
)
DRAWN_CLUTTERED = later(
    "Generated shapes before a cluttered ground, not photographs: five shapes in two textures, tuned until shallow "
    "networks learn them in a brief run"
)
_DESCRIPTIONS = (CIFAR10, CIFAR10_OTHER, CIFAR10_JPEG, CIFAR10_PARQUET, PARQUET, FOLDER, DRAWN, DRAWN_CLUTTERED)


def told_description(description: str) -> str:
    """A source's description, which records keep in English, in the reader's language."""
    return retold(description, _DESCRIPTIONS)


@dataclass(frozen=True)
class Source:
    """One image set, known by what decides its pixels, not yet read."""

    kind: str
    """cifar · parquet · folder, which have a path; shapes · shapes-cluttered, which can be asked for by this word."""
    path: Path | None
    """The folder that holds it; None for images that are generated."""
    name: str
    """`slug@fingerprint`, the same for the same content wherever it lies."""
    description: str
    """In words, for people: what it is and what must be known about it."""
    licence: str
    """In words: under which terms the images may be used."""


@dataclass(frozen=True)
class Pixels:
    """The images of a source as arrays: images uint8 (N, 3, H, W), labels int64 (N,)."""

    classes: tuple[str, ...]
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
