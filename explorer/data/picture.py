"""One picture from a person or a folder: read with suspicion, made square, made small. No torch here."""

import io
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from explorer.errors import RequestError
from explorer.language import tr

LARGEST_SIDE = 30_000
LARGEST_AREA = 64_000_000
"""Pixels; the limits hold before anything is decoded."""
_LARGE_AREA = 4_000_000
_ONE_AT_A_TIME = threading.Lock()  # large pictures: one of the largest takes half a gigabyte while it is made small


def read_picture(data: bytes | Path, size: int, name: str = "") -> NDArray[np.uint8]:
    """uint8 (3, size, size) RGB: turned upright, laid on white, its central square scaled to `size`.

    Raises RequestError, which calls the picture by `name`, for what is no image, is too large (told from its header,
    before it is decoded) or is cut off.
    """
    what = name or (data.name if isinstance(data, Path) else tr("this file"))
    try:
        with Image.open(io.BytesIO(data) if isinstance(data, bytes) else data) as image:
            _refuse_if_large(image, what)
            with _ONE_AT_A_TIME if image.width * image.height > _LARGE_AREA else nullcontext():
                return _array(image if _is_ready(image, size) else _prepared(image, size))
    except RequestError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise RequestError(tr("{file} has too many pixels: scale it down first", file=what)) from None
    except UnidentifiedImageError:
        raise RequestError(tr("{file} is not an image that can be read: use a JPEG or PNG file", file=what)) from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError ...
        if isinstance(error, OSError) and error.errno:
            file = data if isinstance(data, Path) else what
            raise RequestError(tr("cannot read {file}: {reason}", file=file, reason=error.strerror)) from None
        reason = str(error).partition("\n")[0]
        raise RequestError(
            tr("{file} is damaged or cut off ({reason}): save it again or use another", file=what, reason=reason)
        ) from None


def _refuse_if_large(image: Image.Image, what: str) -> None:
    width, height = image.size
    if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
        raise RequestError(
            tr(
                "{file} has {width}×{height} pixels: the limit is {area} megapixels and {side:,} pixels a side, so "
                "scale it down first",
                file=what,
                width=width,
                height=height,
                area=LARGEST_AREA // 1_000_000,
                side=LARGEST_SIDE,
            )  # fmt: skip
        )


def _is_ready(image: Image.Image, size: int) -> bool:
    """Whether nothing is left to do but decode: so it is for the images of a data set, where time counts."""
    return image.mode == "RGB" and image.size == (size, size) and not image.info.keys() & _NOT_READY


_NOT_READY = {"exif", "xmp", "transparency"}


def _prepared(image: Image.Image, size: int) -> Image.Image:
    """RGB on white, turned as its EXIF data say, its central square at `size`.

    Large pictures are made small before their colours are changed, and nothing is copied at full size that need not be.
    """
    image.draft(None, (2 * size, 2 * size))  # a large JPEG is decoded at down to an eighth of its size
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        return _small_square(_eight_bits(image, size), size)
    if image.has_transparency_data:
        with_alpha = _small_square(image if image.mode in ("RGBA", "LA") else image.convert("RGBA"), size)
        with_alpha = with_alpha.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", with_alpha.size, "white"), with_alpha).convert("RGB")
    return _small_square(image if image.mode == "RGB" else image.convert("RGB"), size)


def _eight_bits(image: Image.Image, size: int) -> Image.Image:
    """Grey values of 16 bits, or floats from 0 to 1, which PIL would clip instead of scale; large ones smaller."""
    values = np.asarray(image)
    top = 65_535.0 if values.max() > 255 else 255.0 if values.max() > 1 else 1.0
    step = max(1, min(values.shape) // (4 * size))
    height, width = (length // step for length in values.shape)
    blocks = values[: height * step, : width * step].reshape(height, step, width, step)
    small = np.nan_to_num(blocks.mean(axis=(1, 3), dtype=np.float64))
    return Image.fromarray((small.clip(0, top) * (255 / top)).round().astype(np.uint8)).convert("RGB")


def _small_square(image: Image.Image, size: int) -> Image.Image:
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def _array(image: Image.Image) -> NDArray[np.uint8]:
    pixels = np.frombuffer(image.tobytes(), dtype=np.uint8)
    return np.ascontiguousarray(pixels.reshape(image.height, image.width, 3).transpose(2, 0, 1))
