"""A figure of curves as HTML, for a browser that has no plotly.js yet: it stands where plotly.js will draw it.

Only what `curves.error_curves` draws is known here: two panels of lines on linear axes, reference marks, one legend.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from explorer.plots import theme

STYLE = Path(__file__).with_suffix(".css").read_text()
_GRID = 1000  # steps of a curve's coordinates along each axis: finer than a panel has pixels
_MOST_STEPS = 6  # between an axis' first tick and its last
_DASHES = {"solid": (), "dot": (1, 1), "dash": (3, 3), "dashdot": (3, 1, 1, 1), "longdash": (5, 5),
           "longdashdot": (5, 2, 1, 2)}  # fmt: skip
_THINNEST_DASHED = 3.0  # pixels: plotly.js dashes a thinner line as if it were this thick

Spec = dict[str, Any]
"""A part of a figure, as plotly.js reads it."""


def still(figure: go.Figure, height: int, narrow: theme.Narrow) -> str:
    """The figure, `height` pixels high, and arranged as `narrow` says where there is no more room than on a phone.

    `STYLE` says how it looks: text is of the colour around it, lines of that of the variable `--rx-grid`.
    """
    spec: Spec = figure.to_dict()
    wide, phone = spec["layout"], narrow["layout"]
    traces = [trace for trace in spec["data"] if trace["x"][0] is not None]
    panels = [
        _Panel(title["text"], wide[f"xaxis{number}"], wide[f"yaxis{number}"], phone[f"yaxis{number}"]["domain"]).drawn(
            [trace for trace in traces if trace["xaxis"] == f"x{number}"]
        )
        for number, title in zip(("", "2"), wide["annotations"], strict=True)
    ]
    tops = {"top": 1 - wide["legend"]["y"], "phone-top": 1 - phone["legend"]["y"]}
    area = _element("area", "".join(panels) + _element("legend", "".join(_legend(traces)), **tops))
    high = f"--high: {height}px; --phone-high: {narrow['height']}px"
    return f'<div class="rx-still"><div class="rx-still-figure" style="{high}">{area}</div></div>'


def ticks(low: float, high: float) -> list[float]:
    """Round numbers in low..high: 1, 2 or 5 times a power of ten apart, in no more than `_MOST_STEPS` steps."""
    rough = (high - low) / _MOST_STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    apart = next(times * power for times in (1, 2, 5, 10) if times * power >= rough)
    return [apart * count for count in range(math.ceil(low / apart), math.floor(high / apart) + 1)]


@dataclass(frozen=True)
class _Panel:
    title: str
    x: Spec
    y: Spec
    phone: Sequence[float]
    """Where its lower and its upper side are on a phone, which has the panels one above the other."""

    def drawn(self, traces: Sequence[Spec]) -> str:
        """Its grid, curves and marks, and the words around them."""
        across = [(self._at(x, 0)[0], x) for x in ticks(*self.x["range"])]
        up = [(self._at(0, y)[1], y) for y in ticks(*self.y["range"])]
        grid = "".join(f"M{_GRID * at:.0f} 0V{_GRID}" for at, _ in across)
        grid += "".join(f"M0 {_GRID * (1 - at):.0f}H{_GRID}" for at, _ in up)
        curves = "".join(self._curve(trace) for trace in traces if "lines" in trace["mode"])
        drawing = f'<path class="rx-still-grid" d="{grid}"/>{curves}'
        inside = (
            f'<svg viewBox="0 0 {_GRID} {_GRID}" preserveAspectRatio="none">{drawing}</svg>',
            *(mark for trace in traces if trace["mode"] == "markers" for mark in self._marks(trace)),
            *(_element("x", _thousands(x), left=at) for at, x in across),
            *(_element("y", f"{y:.0%}", bottom=at) for at, y in up),
            _element("title", escape(self.title)),
            _element("x-name", escape(self.x["title"]["text"])),
            _element("y-name", escape(self.y["title"]["text"])),
        )
        (left, right), (bottom, top) = self.x["domain"], self.y["domain"]
        sides = {"left": left, "right": 1 - right, "bottom": bottom, "top": 1 - top}
        on_phone = {"phone-bottom": self.phone[0], "phone-top": 1 - self.phone[1]}
        return _element("panel", "".join(inside), **sides, **on_phone)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """Shares of the panel's width, from the left, and of its height, from below."""
        (left, right), (low, high) = self.x["range"], self.y["range"]
        return (x - left) / (right - left), (y - low) / (high - low)

    def _curve(self, trace: Spec) -> str:
        """A line, its points marked where the trace says so; a filled one is a band."""
        shares = [self._at(x, y) for x, y in zip(trace["x"], trace["y"], strict=True)]
        points = [f"{_GRID * x:.0f} {_GRID * (1 - y):.0f}" for x, y in shares]
        if trace.get("fill"):
            return f'<path fill="{trace["fillcolor"]}" d="M{" ".join(points)}Z"/>'
        line = f'<path {_stroke(trace)} d="M{" ".join(points)}"/>'
        if "markers" not in trace["mode"]:
            return line
        dots = "".join(f"M{point}h0" for point in points)  # of no length, with round ends: a disc in any aspect
        size, colour = trace["marker"]["size"], trace["marker"]["color"]
        return f'{line}<path stroke="{colour}" stroke-width="{size}" stroke-linecap="round" d="{dots}"/>'

    def _marks(self, trace: Spec) -> Iterator[str]:
        marker = trace["marker"]
        shapes = zip(trace["x"], trace["y"], marker["symbol"], marker["size"], strict=True)
        for x, y, symbol, size in shapes:
            left, bottom = self._at(x, y)
            yield _element(
                f"mark rx-still-{symbol}", "", f"--size: {size}px; color: {marker['color']}", left=left, bottom=bottom
            )


def _legend(traces: Sequence[Spec]) -> Iterator[str]:
    """A column for each group of traces, a row for each of them."""
    named = [trace for trace in traces if trace.get("showlegend", True)]
    for _, group in groupby(named, key=lambda trace: trace["legendgroup"]):
        rows = (f'<div><svg viewBox="0 0 30 10">{_sample(trace)}</svg>{escape(trace["name"])}</div>' for trace in group)
        yield f"<div>{''.join(rows)}</div>"


def _sample(trace: Spec) -> str:
    dot = f'<circle cx="15" cy="5" r="{trace["marker"]["size"] / 2}" fill="{trace["marker"]["color"]}"/>'
    return f'<path {_stroke(trace)} d="M2 5H28"/>' + (dot if "markers" in trace["mode"] else "")


def _stroke(trace: Spec) -> str:
    line = trace["line"]
    lengths = _DASHES.get(line["dash"])
    if lengths is None:
        dashes = line["dash"].replace("px", "")
    else:
        dashes = " ".join(f"{length * max(line['width'], _THINNEST_DASHED):g}" for length in lengths)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'stroke="{line["color"]}" stroke-width="{line["width"]}" opacity="{trace["opacity"]}"{dashed}'


def _thousands(value: float) -> str:
    """As plotly.js writes the steps of a long run: 5k."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _element(name: str, inside: str, style: str = "", /, **shares: float) -> str:
    """With shares of what is around it as CSS variables."""
    variables = "; ".join(filter(None, [style, *(f"--{side}: {100 * share:.4g}%" for side, share in shares.items())]))
    placed = f' style="{variables}"' if variables else ""
    return f'<div class="rx-still-{name}"{placed}>{inside}</div>'
