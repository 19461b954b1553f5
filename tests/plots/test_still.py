"""Curves as HTML: the same numbers at the same places as in the figure that plotly.js draws."""

import re
from html.parser import HTMLParser

import pytest

from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.plots import theme
from explorer.plots.curves import Curve, Mark, error_curves
from explorer.plots.still import still, ticks
from explorer.records import EvaluationRecord, StepRecord

_TRAINING = TrainingConfig(steps=200, milestones=())
_PLAIN, _RESIDUAL = NetworkConfig(depth=8, shortcut="none"), NetworkConfig(depth=8, shortcut="A")


def _curve(network: NetworkConfig, errors: tuple[float, ...], seed: int = 0) -> Curve:
    """Training errors at steps 100 and 200, test errors 0.1 higher."""
    records = []
    for index, error in enumerate(errors):
        step = 100 * (index + 1)
        records.append(StepRecord(2 * index, step, 1.0, 1.0, error, 0.1, 100.0, 1.0))
        records.append(EvaluationRecord(2 * index + 1, step, 1.0, error, 10, error + 0.1, 0.0, 10, (), 1.0))
    return Curve(RunConfig(network, _TRAINING, seed=seed), records, recorded=True)


def _drawn(*curves: Curve, marks: tuple[Mark, ...] = ()) -> str:
    figure = error_curves(curves, 200, marks)
    return still(figure, 350, theme.stacked(figure, 640))


def _paths(html: str, colour: str) -> list[str]:
    """The lines of this colour; those in the legend are none."""
    html, _, _ = html.partition("rx-still-legend")
    return re.findall(rf'<path stroke="{colour}"[^>]* d="([^"]+)"', html)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 16_000, [0, 5000, 10_000, 15_000]),
        (0, 64_000, [0, 20_000, 40_000, 60_000]),
        (0, 600, [0, 100, 200, 300, 400, 500, 600]),
        (0, 0.95, [0, 0.2, 0.4, 0.6, 0.8]),
        (0.25, 1.05, [0.4, 0.6, 0.8, 1.0]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_a_curve_goes_through_its_points() -> None:
    """The y axis ends at 0.95, the x axis at 200 steps; the grid is 1000 by 1000 from the upper left."""
    html = _drawn(_curve(_PLAIN, (0.95, 0.0)))
    training, test, dots = _paths(html, theme.shade("plain", 0, 1))
    assert training == "M500 0 1000 1000"
    assert test == "M500 -105 1000 895"
    assert dots == "M500 -105h0M1000 895h0"


def test_each_family_has_its_panel_and_every_line_its_row_in_the_legend() -> None:
    html = _drawn(_curve(_PLAIN, (0.5, 0.4)), _curve(_RESIDUAL, (0.4, 0.3)))
    _, left, right = html.split("rx-still-panel")
    assert len(_paths(left, theme.shade("plain", 0, 1))) == 3
    assert not _paths(left, theme.shade("resnet", 0, 1))
    assert "Plain networks" in left
    assert "Residual networks" in right
    legend = re.sub("<[^>]+>", "|", html.split("rx-still-legend")[1])
    names = [name for name in legend.split("|") if name.strip('"> ')]
    assert [name for name in names if "8" in name] == [
        "plain-8 training", "plain-8 test", "resnet-8 training", "resnet-8 test",
    ]  # fmt: skip


def test_panels_stand_where_the_figure_has_them() -> None:
    html = _drawn(_curve(_PLAIN, (0.5, 0.4)))
    (left, right) = (
        re.findall(r"--([\w-]+): ([\d.]+)%", style) for style in re.findall(r'rx-still-panel" style="([^"]+)"', html)
    )
    shares = [{name: float(share) for name, share in side} for side in (left, right)]
    common = {"bottom": 0, "top": 0}
    assert shares[0] == {"left": 0, "right": 52, **common, "phone-bottom": 57, "phone-top": 0}
    assert shares[1] == {"left": 52, "right": 0, **common, "phone-bottom": 0, "phone-top": 57}


def test_the_papers_errors_stand_at_the_right_edge() -> None:
    html = _drawn(_curve(_PLAIN, (0.5, 0.4)), marks=(Mark(_PLAIN, 0.095, 0.19, "Table 6"),))
    places = re.findall(r'rx-still-mark rx-still-([\w-]+)"[^>]*--left: ([\d.]+)%; --bottom: ([\d.]+)%', html)
    assert places == [("line-ew-open", "100", "10"), ("diamond", "100", "20")]


def test_lines_are_dashed_as_plotly_dashes_them() -> None:
    """plotly.js: a dash is three widths long, of a line thinner than 3 pixels three times 3."""
    html = _drawn(_curve(_PLAIN, (0.5, 0.4)), _curve(NetworkConfig(depth=14, shortcut="none"), (0.5, 0.4)))
    shallow, deep = theme.shade("plain", 0), theme.shade("plain", 1)
    assert re.search(rf'stroke="{shallow}" stroke-width="1.25"[^>]*stroke-dasharray="9 9"', html)
    assert re.search(rf'stroke="{deep}" stroke-width="1.25"[^>]*>', html)
    assert not re.search(rf'stroke="{deep}"[^>]*stroke-dasharray', html)


def test_seeds_have_their_band_behind_the_mean() -> None:
    html = _drawn(_curve(_PLAIN, (0.5, 0.38), seed=0), _curve(_PLAIN, (0.7, 0.19), seed=1))
    band = html.index(f'fill="{theme.band("plain", 0, 1)}"')
    assert re.match(r'[^>]*d="M500 263 1000 600 1000 800 500 474Z"', html[band:])
    assert band < html.index(f'<path stroke="{theme.shade("plain", 0, 1)}"')


def test_the_html_is_well_formed_and_says_nothing_but_text() -> None:
    figure = error_curves([_curve(_PLAIN, (0.5, 0.4))], 200)
    figure.layout.annotations[0].text = "<script>alert(1)</script>"
    html = still(figure, 350, theme.stacked(figure, 640))
    assert "<script" not in html
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            opened.append(tag)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader().feed(html)
    assert not opened
