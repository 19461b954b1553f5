"""Colours that serve both themes, and lines that tell family, depth and split apart."""

import itertools

import plotly.graph_objects as go
import pytest

from explorer.plots import theme

PAGES = ("#ffffff", "#10151c")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


ALL = [theme.PLAIN, theme.RESIDUAL, theme.PAPER]
FAMILIES = ("plain", "resnet", "preresnet", "highway", "skipinit")
ALL += [theme.shade(family, rank, 4) for family in FAMILIES for rank in range(4)]
ALL += [theme.colour(family) for family in FAMILIES]
ALL += [theme._OTHER, *theme._OTHER_SHADES]


@pytest.mark.parametrize(("colour", "page"), itertools.product(ALL, PAGES))
def test_colour_is_legible_on_both_pages(colour: str, page: str) -> None:
    assert contrast(colour, page) >= 3


def test_deeper_is_darker() -> None:
    for family in FAMILIES:
        shades = [luminance(theme.shade(family, rank, 4)) for rank in range(4)]
        assert shades == sorted(shades, reverse=True)


def test_lines_differ_in_more_than_colour() -> None:
    shallow, deep = theme.line("plain", 0, "test"), theme.line("plain", 1, "test")

    assert shallow["dash"] != deep["dash"]
    assert theme.line("plain", 1, "train")["width"] < deep["width"]


def test_layout_and_lines_are_valid_plotly() -> None:
    figure = go.Figure(layout=theme.layout("steps", "error", height=300))
    figure.add_scatter(y=[0.5, 0.4], line=theme.line("resnet", 5, "train", depths=9), fillcolor=theme.band("resnet", 0))

    assert figure.layout.yaxis.tickformat == ".0%"
    assert figure.layout.height == 300
