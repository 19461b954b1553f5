"""Files that hold the raw values, the same colours as the figure, and how they were made."""

import io
import json
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from explorer.config import network
from explorer.plots import attribution_files as files
from explorer.plots import sheet
from explorer.plots.attributions import COLOURS, Column, Row
from explorer.records import Attribution

IMAGE = np.arange(3 * 8 * 8, dtype=np.uint8).reshape(3, 8, 8)
MADE = {"image": "test image 7", "networks": [{"run": "abc", "note": "</script><b>"}]}


def _shown() -> files.Comparison:
    columns = []
    for name, peak in (("plain-8", 1.0), ("resnet-8:width=4", -2.0)):
        values = np.zeros((8, 8), dtype=np.float32)
        values[2, 5] = peak
        columns.append(Column(network(name), name, "dog", 0.6, [Attribution("saliency", values, True, 1, None, 0.1)]))
    return files.Comparison(IMAGE, columns, [Row("saliency", "Saliency")], ("cat", "dog"), MADE)


def test_colours_keep_the_sign_and_are_the_figures() -> None:
    found = files.coloured(np.array([[-2.0, 0.0, 2.0, 9.0]], dtype=np.float32), 2.0)
    told = ["#" + "".join(f"{channel:02x}" for channel in pixel) for pixel in found[0]]
    assert told == [COLOURS[0], COLOURS[3], COLOURS[-1], COLOURS[-1]]


def test_the_archive_holds_raw_values_pictures_and_the_configuration() -> None:
    with zipfile.ZipFile(io.BytesIO(files.archive(_shown()))) as archive:
        names = set(archive.namelist())
        assert {"configuration.json", "image.png", "1-plain-8-saliency.npy", "2-resnet-8-width=4-saliency.png"} <= names
        values = np.load(io.BytesIO(archive.read("2-resnet-8-width=4-saliency.npy")))
        assert values[2, 5] == -2
        assert json.loads(archive.read("configuration.json")) == MADE
        picture = Image.open(io.BytesIO(archive.read("1-plain-8-saliency.png")))
        place = (5 * 32 + 16, 2 * 32 + 16)  # the middle of the peak's square
        assert picture.getpixel(place) == tuple(files.coloured(np.array([[0.5]], np.float32), 1.0)[0, 0])


def test_the_png_says_how_it_was_made() -> None:
    picture = Image.open(io.BytesIO(sheet.png(files.sheet(_shown()))))
    assert json.loads(picture.text["configuration"]) == MADE
    assert picture.size == (16 + 3 * 272, 70 + 306)


def test_the_svg_is_well_formed_and_its_text_is_text() -> None:
    root = ElementTree.fromstring(sheet.svg(files.sheet(_shown())))
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert len(root.findall("svg:image", space)) == 3
    assert "Saliency" in [text.text for text in root.findall("svg:text", space)]
    assert json.loads(root.find("svg:metadata", space).text) == MADE


def test_the_page_keeps_its_configuration_whole() -> None:
    page = files.html(_shown())
    (kept,) = re.findall(r'<script type="application/json" id="configuration">(.*?)</script>', page, re.DOTALL)
    assert json.loads(kept) == MADE
    assert "cdn.plot.ly/plotly" not in page.split("</head>")[0]


def test_a_slide_has_a_row_an_image_and_a_column_a_method_and_network() -> None:
    columns = [
        replace(column, maps=[*column.maps, Attribution("grad_cam", 3 * column.maps[0].values, True, 1, None, 0.1)])
        for column in _shown().columns
    ]
    rows = [Row("saliency", "Saliency"), Row("grad_cam", "Grad-CAM")]
    one = replace(_shown(), columns=columns, rows=rows, truth="cat")
    made = files.slide([one, replace(one, columns=[columns[0], replace(columns[1], maps=[])])])
    assert len(made.pictures) == 2 * (1 + 4) - 2  # two maps of the second image are not there
    assert [text for _, _, text, _ in made.texts].count("dog 60%") == 8
    assert [text for _, _, text, _ in made.texts].count("cat") == 2
    first_row = sorted(
        ((x, picture) for x, y, picture in made.pictures if y == min(y for _, y, _ in made.pictures)),
        key=lambda one: one[0],
    )
    assert [x for x, _ in first_row] == sorted({x for x, _, _ in made.pictures})
    saliency, cam = first_row[2][1], first_row[4][1]
    np.testing.assert_array_equal(saliency, cam)  # each method has its own scale
    for x, y, _ in made.pictures:
        assert x + made.cell <= made.width
        assert y + made.cell <= made.height
    page = sheet.page(made)
    (kept,) = re.findall(r'<script type="application/json" id="configuration">(.*?)</script>', page, re.DOTALL)
    assert json.loads(kept) == {"images": [MADE, MADE]}
    assert page.count("<image ") == 8
