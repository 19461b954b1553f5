"""A drawing on white paper to take along: pictures and words at their places, as PNG, SVG and a page of its own."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

_FAMILY = "'Source Sans 3', 'Source Sans Pro', Arial, sans-serif"  # unquoted, the 3 would void the whole list
_INK = "#1d2430"


@dataclass(frozen=True)
class Sheet:
    """What is drawn, in pixels from the upper left corner."""

    width: int
    height: int
    cell: int
    """The side of each picture."""
    pictures: Sequence[tuple[int, int, NDArray[np.uint8]]]
    """x and y of the upper left corner, and RGB values (H, W, 3), shown with visible pixels."""
    texts: Sequence[tuple[int, int, str, int]]
    """x and y where the base line begins, the words, their size."""
    configuration: Mapping[str, Any]
    """How it was made, in plain JSON values: every file holds it."""


def png(sheet: Sheet) -> bytes:
    """As a picture; the configuration is in its text."""
    paper = Image.new("RGB", (sheet.width, sheet.height), "white")
    draw = ImageDraw.Draw(paper)
    for x, y, picture in sheet.pictures:
        paper.paste(enlarged(picture, sheet.cell), (x, y))
    for x, y, text, size in sheet.texts:
        draw.text((x, y), text, fill=_INK, font=ImageFont.load_default(size), anchor="ls")
    return png_bytes(paper, sheet.configuration)


def svg(sheet: Sheet) -> str:
    """As a drawing whose text stays text; the configuration is its metadata."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width}" height="{sheet.height}" '
        f'viewBox="0 0 {sheet.width} {sheet.height}">',
        f"<metadata>{escape(as_json(sheet.configuration))}</metadata>",
        f'<rect width="{sheet.width}" height="{sheet.height}" fill="white"/>',
    ]
    for x, y, picture in sheet.pictures:
        data = base64.b64encode(png_bytes(Image.fromarray(picture), None)).decode()
        parts.append(
            f'<image x="{x}" y="{y}" width="{sheet.cell}" height="{sheet.cell}" style="image-rendering:pixelated" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        )
    for x, y, text, size in sheet.texts:
        parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" font-family="{_FAMILY}" fill="{_INK}">{escape(text)}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def page(sheet: Sheet) -> str:
    """As a page of its own that fills the window; needs no network."""
    drawing = svg(sheet).replace("<svg ", '<svg style="width:100%;height:100vh" ', 1)
    return "\n".join(
        [
            "<!doctype html>",
            '<html><head><meta charset="utf-8"><title>Attributions</title></head>',
            f'<body style="margin:0;background:white">{drawing}{json_element(sheet.configuration)}</body></html>',
        ]
    )


def json_element(configuration: Mapping[str, Any]) -> str:
    """The configuration as an element that a page keeps and does not show."""
    told = as_json(configuration).replace("<", "\\u003c")  # no value can end the element
    return f'<script type="application/json" id="configuration">{told}</script>'


def enlarged(picture: NDArray[np.uint8], cell: int) -> Image.Image:
    """RGB values (H, W, 3) as a square of so many pixels, each value a square of its own."""
    return Image.fromarray(picture).resize((cell, cell), Image.Resampling.NEAREST)


def png_bytes(picture: Image.Image, configuration: Mapping[str, Any] | None) -> bytes:
    """The picture as a PNG file, with the configuration in its text."""
    told = PngImagePlugin.PngInfo()
    if configuration is not None:
        told.add_itxt("configuration", as_json(configuration))
    written = io.BytesIO()
    picture.save(written, "PNG", pnginfo=told)
    return written.getvalue()


def as_json(configuration: Mapping[str, Any]) -> str:
    """As people and programs read it."""
    return json.dumps(configuration, indent=1)
