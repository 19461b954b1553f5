"""Attributions to take along: each map as a picture and as numbers, comparisons on a sheet, one as an HTML page.

Every file says how it was made: the configuration is in the PNG's text, the SVG's metadata, the page and the archive.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explorer.plots.attributions import COLOURS, Column, Row, row_scale, side_by_side
from explorer.plots.sheet import Sheet, as_json, enlarged, json_element, png_bytes
from explorer.records import Attribution

_CELL, _GAP, _HEADING, _TOP = 256, 16, 34, 70  # pixels
_SMALL, _CLOSE, _WORDS, _HEAD = 128, 8, 26, 66  # the same on a slide


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
    truth: str = ""
    """The image's class, where it is known."""


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
        files.writestr("configuration.json", as_json(shown.configuration))
        files.writestr("image.png", png_bytes(Image.fromarray(_pixels(shown)), shown.configuration))
        for row in shown.rows:
            for number, (column, found, values) in enumerate(_drawn(shown, row), 1):
                if found is not None:
                    name = f"{number}-{column.label}-{row.method}".replace(" ", "-").replace(":", "-").replace("/", "-")
                    files.writestr(f"{name}.npy", _npy(found.values))
                    files.writestr(f"{name}.png", png_bytes(enlarged(values, _CELL), shown.configuration))
    return packed.getvalue()


def sheet(shown: Comparison) -> Sheet:
    """One image: a row a method, a column a network."""
    pictures, texts = [], []
    for place, column in enumerate(shown.columns, 1):
        x = _GAP + place * (_CELL + _GAP)
        explained = sorted({shown.classes[one.target] for one in column.maps})
        texts.append((x, 30, column.label, 18))
        texts.append((x, 54, f"{_said(column)}, explains {', '.join(explained)}", 15))
    for index, row in enumerate(shown.rows):
        y = _TOP + index * (_HEADING + _CELL + _GAP) + _HEADING
        texts.append((_GAP, y - 9, row.label, 16))
        pictures.append((_GAP, y, _pixels(shown)))
        for place, (_, found, values) in enumerate(_drawn(shown, row), 1):
            if found is not None:
                pictures.append((_GAP + place * (_CELL + _GAP), y, values))
    height = _TOP + len(shown.rows) * (_HEADING + _CELL + _GAP)
    width = _GAP + (len(shown.columns) + 1) * (_CELL + _GAP)
    return Sheet(width, height, _CELL, pictures, texts, shown.configuration)


def slide(shown: Sequence[Comparison]) -> Sheet:
    """Several images of the same networks and methods: a row an image, a column a method and network.

    Each method's maps of one image share a scale over the networks, as in `side_by_side`.
    """
    first, step = shown[0], _SMALL + _CLOSE
    pictures, texts = [], []
    starts = [_GAP + step + _GAP + index * (len(first.columns) * step + _GAP) for index in range(len(first.rows))]
    for x, row in zip(starts, first.rows, strict=True):
        texts.append((x, 28, row.label, 17))
        texts += [(x + place * step, 54, column.label, 13) for place, column in enumerate(first.columns)]
    for index, one in enumerate(shown):
        y = _HEAD + index * (_WORDS + _SMALL + _CLOSE) + _WORDS
        pictures.append((_GAP, y, _pixels(one)))
        texts.append((_GAP, y - 7, one.truth, 13))
        for x, row in zip(starts, one.rows, strict=True):
            for place, (column, found, values) in enumerate(_drawn(one, row)):
                texts.append((x + place * step, y - 7, _said(column), 13))
                if found is not None:
                    pictures.append((x + place * step, y, values))
    width = starts[-1] + len(first.columns) * step + _GAP - _CLOSE
    height = _HEAD + len(shown) * (_WORDS + _SMALL + _CLOSE) + _CLOSE
    return Sheet(width, height, _SMALL, pictures, texts, {"images": [dict(one.configuration) for one in shown]})


def html(shown: Comparison) -> str:
    """The comparison as a page of its own with raw values on hover; needs no network."""
    figure = side_by_side(shown.image, shown.columns, shown.rows, shown.classes, width=1000)
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page.replace("</body>", f"{json_element(shown.configuration)}</body>")


def _drawn(shown: Comparison, row: Row) -> Iterator[tuple[Column, Attribution | None, NDArray[np.uint8]]]:
    """Each network, its map of one method if it is there, and that in colours (H, W, 3) of the row's scale."""
    maps = [next((one for one in column.maps if one.method == row.method), None) for column in shown.columns]
    scale = row_scale([one for one in maps if one is not None])
    for column, found in zip(shown.columns, maps, strict=True):
        yield column, found, _pixels(shown) if found is None else coloured(found.values, scale)


def _said(column: Column) -> str:
    return f"{column.predicted} {column.probability:.0%}"


def _pixels(shown: Comparison) -> NDArray[np.uint8]:
    """(H, W, 3)"""
    return np.ascontiguousarray(shown.image.transpose(1, 2, 0))


def _npy(values: NDArray[np.float32]) -> bytes:
    written = io.BytesIO()
    np.save(written, values)
    return written.getvalue()
