import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.data.picture import read_picture
from explorer.errors import RequestError
from tests.data.layouts import encoded, random_images

ROOT = Path(__file__).resolve().parents[2]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def halves(width: int, height: int) -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image


def png_header(width: int, height: int) -> bytes:
    """A PNG that says how large it is and has one small, wrong piece of pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "PPM"])
def test_a_picture_of_the_right_size_keeps_every_pixel(kind: str) -> None:
    image = random_images(1)[0]
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read_picture(encoded(image, kind, **options), 32), image)


def test_a_path_does_as_well(tmp_path: Path) -> None:
    image = random_images(1)[0]
    (tmp_path / "a.png").write_bytes(encoded(image))
    assert np.array_equal(read_picture(tmp_path / "a.png", 32), image)


def test_the_centre_is_cut_out_and_scaled() -> None:
    wide = Image.new("RGB", (300, 100), "lime")
    wide.paste(halves(100, 100), (100, 0))
    result = read_picture(saved(wide, "PNG"), 20)
    assert result.shape == (3, 20, 20)
    assert result.dtype == np.uint8
    colours = result.astype(int)  # scaling smoothly rings a little beside an edge
    assert np.abs(colours[:, :, 1:8] - np.array([255, 0, 0])[:, None, None]).max() < 30
    assert np.abs(colours[:, :, -8:-1] - np.array([0, 0, 255])[:, None, None]).max() < 30


@pytest.mark.parametrize("size", [32, 64])
def test_exif_orientation_is_respected(size: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: left becomes top
    result = read_picture(saved(halves(64, 64), "JPEG", exif=exif, quality=95), size)
    assert (result[0, : size // 2 - 4] > 200).all()
    assert (result[2, size // 2 + 4 :] > 200).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_becomes_white(mode: str) -> None:
    image = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 16, 32))
    result = read_picture(saved(image.convert(mode), "PNG"), 32)
    assert (result[:, :, :16] == 0).all()
    assert (result[:, :, 16:] == 255).all()


def test_a_transparent_colour_becomes_white() -> None:
    image = Image.new("RGB", (32, 32), (1, 2, 3))
    assert (read_picture(saved(image, "PNG", transparency=(1, 2, 3)), 32) == 255).all()


@pytest.mark.parametrize("mode", ["L", "1", "CMYK", "I;16"])
def test_other_colours_become_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((40, 40), 128 * 257, np.uint16))
    else:
        image = Image.new("RGB", (40, 40), "white").convert(mode)
    expected = 128 if mode == "I;16" else 255
    result = read_picture(saved(image, "TIFF"), 32)
    assert np.abs(result.astype(int) - expected).max() <= 1


@pytest.mark.threat("A picture of a million megapixels")
@pytest.mark.parametrize("size", [(30_001, 1), (1, 30_001), (8_001, 8_000), (30_000, 30_000), (100_000, 100_000)])
def test_too_many_pixels_are_refused_from_the_header(size: tuple[int, int]) -> None:
    with pytest.raises(RequestError, match="scale it down"):
        read_picture(png_header(*size), 32)  # its pixels could not be read


def test_the_limit_itself_is_allowed() -> None:
    with pytest.raises(RequestError, match="damaged or cut off"):  # its pixels are not there, but its size is fine
        read_picture(png_header(8_000, 8_000), 32)
    assert read_picture(saved(Image.new("RGB", (30_000, 40)), "PNG"), 16).shape == (3, 16, 16)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_file_cut_off_is_refused(kind: str) -> None:
    file = encoded(random_images(1, 200)[0], kind)
    with pytest.raises(RequestError) as caught:
        read_picture(file[: len(file) // 2], 32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", [b"", b"hello", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"])
def test_what_is_no_image_is_refused(file: bytes) -> None:
    with pytest.raises(RequestError, match=r"this file|my cat"):
        read_picture(file, 32, "my cat")


def test_a_file_that_is_not_there_or_a_folder_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"):
        read_picture(tmp_path / "none.png", 32)
    with pytest.raises(RequestError, match="directory"):
        read_picture(tmp_path, 32)


_TWENTY = """
import io, resource
import numpy as np
from PIL import Image
from explorer.data.picture import read_picture

def file(picture):
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=1)
    return written.getvalue()

files = [file(Image.new("RGBA", (3000, 3000), (200, 10, 10, 128)))] * 19
files.append(file(Image.fromarray(np.full((6000, 6000), 40_000, np.uint16))))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small = [read_picture(one, 32) for one in files]
assert len(small) == 20 and small[0].shape == (3, 32, 32)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.threat("A picture of a million megapixels")
def test_twenty_large_uploads_take_the_memory_of_one() -> None:
    """All of them decoded are 840 MB, 16-bit values as doubles 290 MB more."""
    run = subprocess.run([sys.executable, "-c", _TWENTY], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(run.stdout) < 200, run.stdout
