"""Many encoded images as one array. No torch here."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explorer.data.picture import read_picture
from explorer.errors import RequestError
from explorer.language import tr

KEPT_SIDES = range(32, 65)
"""Sides in pixels of square images that keep their size."""
OTHER_SIDE = 32
"""The side that all other images get."""
_NOTED = 500  # images between two words on how many are done


def side_and_format(first: bytes | Path) -> tuple[int, str]:
    """The side that all images of a set get, and its format (JPEG, PNG ...), told from the first one's header."""
    try:
        with Image.open(io.BytesIO(first) if isinstance(first, bytes) else first) as image:
            width, height = image.size
            side = width if width == height and width in KEPT_SIDES else OTHER_SIDE
            return side, image.format or "unknown"
    except Exception as error:  # see read_picture
        name = first if isinstance(first, Path) else tr("the first image")
        raise RequestError(tr("{file} is not an image that can be read: {reason}", file=name, reason=error)) from None


def decoded(
    encoded: Iterable[tuple[str, bytes | Path]], count: int, side: int, note: Callable[[int], None]
) -> NDArray[np.uint8]:
    """uint8 (count, 3, side, side) from pairs of a name and an image; RequestError names the one it cannot read.

    `note` is told now and then how many are done; what it raises ends the work.
    One thread: PIL holds the lock through most of such small images, so that two were no faster.
    """
    images = np.empty((count, 3, side, side), dtype=np.uint8)
    for index, (name, image) in enumerate(encoded):
        images[index] = read_picture(image, side, name)
        if index % _NOTED == 0:
            note(index)
    return images
