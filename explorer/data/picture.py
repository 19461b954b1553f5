"""One picture from a person or a folder: read with suspicion, made square, made small. No torch here."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from explorer.errors import RequestError

LARGEST_SIDE = 30_000
LARGEST_AREA = 64_000_000
"""Pixels; what a phone takes at its best has 50 million."""


def read_picture(data: bytes | Path, size: int) -> NDArray[np.uint8]:
    """uint8 (3, size, size) RGB: turned upright, laid on white, its central square scaled to `size`.

    Raises RequestError for what is no image, is too large (told from its header, before it is decoded) or is cut off.
    """
    what = f"{data.name}" if isinstance(data, Path) else "this file"
    try:
        # PIL warns of large images; the limits here are stricter where it matters.
        with warnings.catch_warnings(), Image.open(_stream(data)) as image:
            warnings.simplefilter("ignore")
            _refuse_if_large(image, what)
            return _small_square(_upright(image, size), size)
    except RequestError:
        raise
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise RequestError(f"{what} {_REASONS[type(error)]}") from None
    except FileNotFoundError:
        raise RequestError(f"there is no file {data!s}") from None
    except Exception as error:  # noqa: BLE001 - decoders raise OSError, SyntaxError, struct.error, ValueError ...
        raise RequestError(f"{what} is damaged or cut off ({_first_line(error)}): save it again or use another") from None


_REASONS = {
    UnidentifiedImageError: "is not an image that can be read: use a JPEG or PNG file",
    Image.DecompressionBombError: "has too many pixels: scale it down first",
}


def _stream(data: bytes | Path) -> Any:
    return io.BytesIO(data) if isinstance(data, bytes) else data


def _refuse_if_large(image: Image.Image, what: str) -> None:
    width, height = image.size
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
        raise RequestError(
            f"{what} has {width}×{height} pixels: the limit is {LARGEST_AREA // 1_000_000} megapixels "
            f"and {LARGEST_SIDE:,} pixels a side, so scale it down first"
        )


def _upright(image: Image.Image, size: int) -> Image.Image:
    """RGB on white, turned as its EXIF data say."""
    image.draft("RGB", (size, size))  # lets a large JPEG be decoded at an eighth of its size
    turned = ImageOps.exif_transpose(image)
    if turned.mode == "RGB" and "transparency" not in turned.info:
        return turned
    if turned.mode.startswith(("I", "F")):
        return _eight_bits(turned)
    if not turned.has_transparency_data:
        return turned.convert("RGB")
    with_alpha = turned.convert("RGBA")
    white = Image.new("RGBA", with_alpha.size, "white")
    return Image.alpha_composite(white, with_alpha).convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey values of more than eight bits, which PIL would clip instead of scale."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = 65_535.0 if values.max() > 255 else 255.0 if values.max() > 1 else 1.0
    scaled = (values.clip(0, top) * (255 / top)).round().astype(np.uint8)
    return Image.fromarray(scaled).convert("RGB")


def _small_square(image: Image.Image, size: int) -> NDArray[np.uint8]:
    if image.size != (size, size):
        image = ImageOps.fit(image, (size, size), Image.Resampling.BOX if _shrinks_evenly(image, size) else _SMOOTH)
    pixels = np.frombuffer(image.tobytes(), dtype=np.uint8)
    return np.ascontiguousarray(pixels.reshape(size, size, 3).transpose(2, 0, 1))


_SMOOTH = Image.Resampling.LANCZOS
