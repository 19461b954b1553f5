"""Attributions to take along: each map as a picture and as numbers, the comparison as PNG, SVG and HTML.

Every file says how it was made: the configuration is in the PNG's text, the SVG's metadata, the page and the archive.
"""

import base64
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from explorer.plots.attributions import COLOURS, Column, Row, row_scale, side_by_side

_CELL, _GAP, _HEADING, _TOP = 256, 16, 34, 70  # pixels
_FAMILY = "Source Sans 3, Source Sans Pro, Arial, sans-serif"
_INK = "#1d2430"


@dataclass(frozen=True)
class Comparison:
    """What `side_by_side` draws, and how it was made."""

    image: NDArray[np.uint8]
    """(3, H, W) RGB."""
    columns: Sequence[Column]
    rows: Sequence[Row]
    classes: Sequence[str]
    configuration: Mapping[str, Any]
    """Plain JSON values."""


def coloured(values: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    """A map (H, W) as RGB (H, W, 3) on the figure's colours: zero in the middle, ±`scale` at the ends."""
    stops = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in COLOURS])
    places = (np.clip(values / scale, -1, 1) + 1) / 2 * (len(stops) - 1)
    channels = [np.interp(places, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def archive(shown: Comparison) -> bytes:
    """A zip of each map's values (float32 .npy) and picture, the image, and the configuration."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("configuration.json", _json(shown))
        files.writestr("image.png", _png(Image.fromarray(shown.image.transpose(1, 2, 0)), shown))
        for number, column in enumerate(shown.columns, 1):
            for found in column.maps:
                name = f"{number}-{column.label}-{found.method}".replace(" ", "-").replace(":", "-").replace("/", "-")
                files.writestr(f"{name}.npy", _npy(found.values))
                scale = row_scale([one for other in shown.columns for one in other.maps if one.method == found.method])
                files.writestr(f"{name}.png", _png(_large(coloured(found.values, scale)), shown))
    return packed.getvalue()


def png(shown: Comparison) -> bytes:
    """The comparison as a picture on white."""
    sheet = Image.new("RGB", _size(shown), "white")
    draw = ImageDraw.Draw(sheet)
    for x, y, picture in _pictures(shown):
        sheet.paste(_large(picture), (x, y))
    for x, y, text, size in _texts(shown):
        draw.text((x, y), text, fill=_INK, font=ImageFont.load_default(size), anchor="ls")
    return _png(sheet, shown)


def svg(shown: Comparison) -> str:
    """The comparison as a drawing whose text stays text."""
    width, height = _size(shown)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<metadata>{escape(_json(shown))}</metadata>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for x, y, picture in _pictures(shown):
        data = base64.b64encode(_png(Image.fromarray(picture), None)).decode()
        parts.append(
            f'<image x="{x}" y="{y}" width="{_CELL}" height="{_CELL}" style="image-rendering:pixelated" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
        )
    for x, y, text, size in _texts(shown):
        parts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" font-family="{_FAMILY}" fill="{_INK}">{escape(text)}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def html(shown: Comparison) -> str:
    """The comparison as a page of its own with raw values on hover; needs no network."""
    figure = side_by_side(shown.image, shown.columns, shown.rows, shown.classes, width=1000)
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    told = _json(shown).replace("<", "\\u003c")  # no value can end the element
    kept = f'<script type="application/json" id="configuration">{told}</script>'
    return page.replace("</body>", f"{kept}</body>")


def _size(shown: Comparison) -> tuple[int, int]:
    columns, rows = len(shown.columns) + 1, len(shown.rows)
    return _GAP + columns * (_CELL + _GAP), _TOP + rows * (_HEADING + _CELL + _GAP)


def _pictures(shown: Comparison) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Where each cell begins, and its pixels (H, W, 3)."""
    for index, row in enumerate(shown.rows):
        y = _TOP + index * (_HEADING + _CELL + _GAP) + _HEADING
        yield _GAP, y, np.ascontiguousarray(shown.image.transpose(1, 2, 0))
        maps = [next((one for one in column.maps if one.method == row.method), None) for column in shown.columns]
        scale = row_scale([one for one in maps if one is not None])
        for place, found in enumerate(maps, 1):
            if found is not None:
                yield _GAP + place * (_CELL + _GAP), y, coloured(found.values, scale)


def _texts(shown: Comparison) -> Iterator[tuple[int, int, str, int]]:
    """x, y of the base line, the words, their size."""
    for place, column in enumerate(shown.columns, 1):
        x = _GAP + place * (_CELL + _GAP)
        yield x, 30, column.label, 18
        explained = sorted({shown.classes[one.target] for one in column.maps})
        yield x, 54, f"{column.predicted} {column.probability:.0%}, explains {', '.join(explained)}", 15
    for index, row in enumerate(shown.rows):
        yield _GAP, _TOP + index * (_HEADING + _CELL + _GAP) + _HEADING - 9, row.label, 16


def _large(picture: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(picture).resize((_CELL, _CELL), Image.Resampling.NEAREST)


def _png(picture: Image.Image, shown: Comparison | None) -> bytes:
    told = PngImagePlugin.PngInfo()
    if shown is not None:
        told.add_itxt("configuration", _json(shown))
    written = io.BytesIO()
    picture.save(written, "PNG", pnginfo=told)
    return written.getvalue()


def _npy(values: NDArray[np.float32]) -> bytes:
    written = io.BytesIO()
    np.save(written, values)
    return written.getvalue()


def _json(shown: Comparison) -> str:
    return json.dumps(shown.configuration, indent=1)
