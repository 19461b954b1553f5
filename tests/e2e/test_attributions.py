"""Two networks compared on pictures of one's own, good and bad, as a visitor does it."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

MAPS = ".js-plotly-plot .heatmaplayer"


def _picture(mode: str = "RGB", side: int = 96) -> Image.Image:
    ramp = np.linspace(0, 255, side).astype(np.uint8)
    return Image.fromarray(np.stack([np.add.outer(ramp // 2, ramp // 2)] * 3, axis=-1)).convert(mode)


def _file(picture: Image.Image, kind: str, **more: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **more)
    return written.getvalue()


def _open(page: Any, server: str) -> None:
    page.goto(f"{server}/attributions")
    page.get_by_role("radio", name="Mine").click()
    page.locator("input[type=file]").wait_for(state="attached")


def test_two_networks_are_compared_on_an_uploaded_picture(server: str, page: Any) -> None:
    _open(page, server)
    upload = {"name": "ramp.jpg", "mimeType": "image/jpeg", "buffer": _file(_picture(), "JPEG")}
    page.locator("input[type=file]").set_input_files(upload)
    page.get_by_role("button", name="ramp.jpg").first.wait_for(timeout=60_000)
    page.locator(MAPS).first.wait_for(timeout=60_000)
    page.wait_for_function(f"document.querySelectorAll('{MAPS} image').length >= 8", timeout=60_000)
    assert page.get_by_text("Traceback").count() == 0
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Comparison, SVG").click()
    assert "ramp.jpg" in Path(download.value.path()).read_text()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add to slide").first.click()
    page.get_by_text("Slide with 1 of 6 images").wait_for(timeout=60_000)
    page.get_by_role("button", name="Download the slide").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Slide, HTML").click()
    slide = Path(download.value.path()).read_text()
    assert "ramp.jpg" in slide
    assert slide.count("<image ") == 9


@pytest.mark.threat("A picture of a million megapixels")
def test_strange_files_are_shown_or_refused_in_one_line_each(server: str, page: Any) -> None:
    _open(page, server)
    frames = [_picture("P"), _picture("P").rotate(90)]
    files = {
        "text.png": b"this is no picture",
        "empty.png": b"",
        "huge.png": _file(Image.new("1", (30_000, 30_000)), "PNG"),
        "moves.gif": _file(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "print.jpg": _file(_picture("CMYK"), "JPEG"),
        "deep.png": _file(Image.fromarray(np.full((40, 40), 40_000, np.uint16)), "PNG"),
        "glass.png": _file(_picture("RGBA"), "PNG"),
    }
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in files.items()]
    )
    page.get_by_text("text.png is not an image that can be read").wait_for(timeout=60_000)
    page.get_by_text("empty.png").first.wait_for()
    page.get_by_text(re.compile("huge.png has .*pixels.* scale it down first")).wait_for()
    for name in ("moves", "print", "deep", "glass"):
        page.get_by_role("button", name=name).first.wait_for(timeout=30_000)
    page.locator(MAPS).first.wait_for(timeout=60_000)
    assert page.get_by_text("Traceback").count() == 0
