"""Attributions side by side: a column for each network, a row for each method, one colour scale for all.

Methods have different units, so each row is divided by the largest |value| that any network has in it. Two networks
thus share one scale, zero stays in the middle and the sign is kept. Green speaks for the class and purple against
it: told apart by colour-blind eyes, and free of the orange and blue that mean plain and residual on every page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.config import NetworkConfig
from explorer.language import tr
from explorer.measurement.agreement import TOP, rank_correlation, top_overlap
from explorer.plots import theme
from explorer.records import Attribution

NEAR_ZERO = 0.05
"""Below this share of the row's scale a map cannot be told from blank by eye, so the figure says so instead."""
SMALLEST_SCALE = 1e-6
"""No row is stretched beyond this: it is what float32 rounding alone does to logits of a few units."""
COLOURS = ("#4a1a78", "#8458ad", "#c3abd8", "#f3f3f1", "#9ccfab", "#3b9560", "#04562e")
"""From against the class to for it, evenly spaced in lightness on both sides."""

_LITTLE, _NOTHING = 0.01, 1e-3  # a share of the sum that may be missed, and a sum next to nothing
_INK = "#2b2f36"  # on the light middle of the scale, in light and dark mode alike
_MARKS = {"plain": "■", "resnet": "●"}
_GAP, _HEADING, _CAPTION = 12, 26, 20  # pixels
_TIGHT, _TIGHTER = 150, 95  # pixels a column, below which titles are broken, and smaller
_NARROW, _WORDY = 600, 860  # widths from which captions fit into one line, and explanations into the heading


@dataclass(frozen=True)
class Row:
    """A method to show."""

    method: str
    label: str
    explanation: str = ""


@dataclass(frozen=True)
class Column:
    """A network to show: what it says about the image, and its maps so far."""

    network: NetworkConfig
    label: str
    predicted: str
    """Name of the class it finds most probable."""
    probability: float
    maps: Sequence[Attribution]
    right: bool | None = None
    """Whether the prediction is the image's label; None where there is no label."""


def row_scale(maps: Sequence[Attribution]) -> float:
    """The largest |value| over the maps of one method, in its unit, what colours of that row are shares of."""
    return max([SMALLEST_SCALE, *(_largest(found.values) for found in maps)])


def is_near_zero(values: NDArray[np.float32], scale: float) -> bool:
    """Whether a map is blank beside the other networks': nowhere above `NEAR_ZERO` of the row's scale."""
    return _largest(values) <= NEAR_ZERO * max(scale, SMALLEST_SCALE)


def side_by_side(
    image: NDArray[np.uint8],
    columns: Sequence[Column],
    rows: Sequence[Row],
    classes: Sequence[str],
    *,
    opacity: float = 1.0,
    grids: bool = False,
    title: str = "",
    width: int = 900,
    largest_cell: int = 240,
) -> go.Figure:
    """The image and the maps of each network, one row a method; raw values on hover.

    `image` is (3, H, W) RGB; `classes` names the targets. Below 1, `opacity` lets the image in grey shine through
    the maps; `grids` shows the coarse maps of Grad-CAM as they are; `title`, or the word image, stands over it. The
    height is chosen for `width` pixels with cells up to `largest_cell` pixels; where the page turns out narrower,
    cells shrink and stay square. A map that is not there yet leaves its cell empty.
    """
    figure = go.Figure()
    differ = len(_targets(columns)) > 1
    share = width / (len(columns) + 1)
    tight = share < _TIGHT
    size = 13 if not tight else 11 if share >= _TIGHTER else 9
    lines = (5 if differ else 4) if tight else 3 if differ else 2
    layout = _Layout(len(columns) + 1, len(rows), width, largest_cell, lines)
    for position, row in enumerate(rows):
        found = [_map(column, row.method) for column in columns]
        scale = row_scale([one for one in found if one is not None])
        _picture(figure, layout, position, image)
        _note(figure, layout, position, 0, _heading(row, found, layout), **_ABOVE_LEFT, hovertext=row.explanation)
        for place, (column, one) in enumerate(zip(columns, found, strict=True), start=1):
            if opacity < 1:
                _picture(figure, layout, position, _grey(image), place)
            _cell(figure, layout, position, place, column, row, one, scale, opacity, grids, image.shape[1:])
    for place, column in enumerate(columns, start=1):
        text = _title(column, classes, explains=differ, tight=tight)
        _note(figure, layout, 0, place, text, **_ABOVE, yshift=_HEADING, font={"size": size})
    _note(figure, layout, 0, 0, title or tr("image"), **_ABOVE, yshift=_HEADING)
    figure.update_layout(**layout.axes(image.shape[1], image.shape[2]), **_frame(layout, _target(columns, classes)))
    return figure


def alternative_text(columns: Sequence[Column], rows: Sequence[Row], classes: Sequence[str]) -> str:
    """What `side_by_side` shows, in words."""
    said = [
        tr(
            "Attributions of one image, {methods} methods, {networks} networks.",
            methods=len(rows), networks=len(columns),
        )
    ]  # fmt: skip
    for c in columns:
        share = _percent(c.probability)
        said.append(tr("{network} says {predicted} with {share}.", network=c.label, predicted=c.predicted, share=share))
    for row in rows:
        found = [_map(column, row.method) for column in columns]
        scale = row_scale([one for one in found if one is not None])
        parts = [
            f"{column.label} {_strongest(one, scale)}"
            for column, one in zip(columns, found, strict=True)
            if one is not None
        ]
        said.append(
            tr(
                "{method} for {target}: {maps}.",
                method=row.label, target=_target(columns, classes),
                maps=(", ".join(parts) or tr("not computed yet")) + _agree(found),
            )
        )  # fmt: skip
    return " ".join(said)


class _Layout:
    """Where each cell lies: axes in fractions of the figure, from sizes in pixels."""

    def __init__(self, columns: int, rows: int, width: int, largest_cell: int, title_lines: int) -> None:
        self.columns, self.rows = columns, rows
        self.narrow, self.wordy = width < _NARROW, width >= _WORDY
        self.gap = 6 if self.narrow else _GAP
        self.caption = _CAPTION * (2 if self.narrow else 1)
        self.side = min((width - 8 - self.gap * (columns - 1)) / columns, largest_cell)
        self.top = 44 + 17 * title_lines  # the colour bar and the titles of the columns
        self.inner = max(1.0, rows * (_HEADING + self.side + self.caption))
        self.height = round(self.top + self.inner + 4)
        self.share = self.gap / width

    def number(self, row: int, column: int) -> str:
        """What plotly appends to x and y for the axes of a cell."""
        index = row * self.columns + column
        return "" if index == 0 else str(index + 1)

    def axes(self, height: int, width: int) -> dict[str, Any]:
        """All axes: square pixels, first row on top, a thin frame and no ticks."""
        made: dict[str, Any] = {}
        plain = {"showticklabels": False, "showgrid": False, "ticks": "", "zeroline": False}
        plain |= {"fixedrange": True, "constrain": "domain"}
        frame = {"showline": True, "mirror": True, "linecolor": theme.PAPER, "linewidth": 1}
        for row in range(self.rows):
            above = 1 - (row * (_HEADING + self.side + self.caption) + _HEADING) / self.inner
            for column in range(self.columns):
                one = self.number(row, column)
                left = column * (1 + self.share) / self.columns
                across = [left, left + (1 + self.share) / self.columns - self.share]
                down = [max(0.0, above - self.side / self.inner), above]
                made[f"xaxis{one}"] = {
                    **plain, **frame, "domain": across, "anchor": f"y{one}", "range": [-0.5, width - 0.5]
                }  # fmt: skip
                made[f"yaxis{one}"] = {
                    **plain, **frame, "domain": down, "anchor": f"x{one}", "range": [height - 0.5, -0.5],
                    "scaleanchor": f"x{one}", "constraintoward": "top",
                }  # fmt: skip
        return made


_ABOVE = {"x": 0.5, "y": 1, "xanchor": "center", "yanchor": "bottom"}
_ABOVE_LEFT = {"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"}
_BELOW = {"x": 0.5, "y": 0, "xanchor": "center", "yanchor": "top"}
_INSIDE = {"x": 0.5, "y": 0.5, "xanchor": "center", "yanchor": "middle"}


def _note(figure: go.Figure, layout: _Layout, row: int, column: int, text: str, **more: Any) -> None:
    """Text tied to a cell, which follows it when the cell shrinks."""
    one = layout.number(row, column)
    where = {"xref": f"x{one} domain", "yref": f"y{one} domain", "showarrow": False, "borderpad": 2}
    figure.add_annotation({**where, "text": text, "align": "center", **more})


def _picture(figure: go.Figure, layout: _Layout, row: int, image: NDArray[np.uint8], column: int = 0) -> None:
    one = layout.number(row, column)
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    figure.add_trace(go.Image(z=pixels, xaxis=f"x{one}", yaxis=f"y{one}", hoverinfo="skip"))


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    luma = np.tensordot((0.299, 0.587, 0.114), image, axes=1)
    return np.broadcast_to(luma.round().astype(np.uint8), image.shape)


def _cell(
    figure: go.Figure,
    layout: _Layout,
    row: int,
    place: int,
    column: Column,
    method: Row,
    found: Attribution | None,
    scale: float,
    opacity: float,
    grids: bool,
    shape: tuple[int, ...],
) -> None:
    if found is None:
        one = layout.number(row, place)
        # Without a trace plotly would not make the axes that the frame and the text belong to.
        figure.add_trace(go.Scatter(x=[None], y=[None], xaxis=f"x{one}", yaxis=f"y{one}", hoverinfo="skip"))
        _note(figure, layout, row, place, "…", **_INSIDE, font={"color": theme.PAPER, "size": 20})
        return
    one = layout.number(row, place)
    values = found.grid if grids and found.grid is not None else found.values
    steps = [pixels / points for pixels, points in zip(shape, values.shape, strict=True)]
    figure.add_trace(
        go.Heatmap(
            z=(values / scale).astype(np.float32),
            customdata=values,
            name=f"{method.label} · {column.label}",
            x0=steps[1] / 2 - 0.5,
            dx=steps[1],
            y0=steps[0] / 2 - 0.5,
            dy=steps[0],
            xaxis=f"x{one}",
            yaxis=f"y{one}",
            coloraxis="coloraxis",
            opacity=opacity,
            zsmooth=False,
            hovertemplate=(
                tr("%{customdata:.3g}, %{z:.0%} of the row's scale<br>row %{y:.0f}, column %{x:.0f}")
                + f"<extra>{column.label}<br>{method.label}</extra>"
            ),
        )
    )
    small = {"size": 11}
    _note(figure, layout, row, place, _caption(found, layout.narrow), **_BELOW, font=small, hovertext=_sums(found))
    if is_near_zero(found.values, scale):
        share = _percent(_largest(found.values) / scale)
        text = tr("<b>≈ 0</b><br>{share} of the<br>row's scale", share=share)
        _note(figure, layout, row, place, text, **_INSIDE, font={"color": _INK, "size": 12}, bgcolor=COLOURS[3])


def _heading(row: Row, found: Sequence[Attribution | None], layout: _Layout) -> str:
    why = f"  <span style='font-size:12px'>{row.explanation}</span>" if layout.wordy and row.explanation else ""
    return f"<b>{row.label}</b>{_agree(found, layout.narrow)}{why}"


def _agree(found: Sequence[Attribution | None], briefly: bool = False) -> str:
    """How alike two maps are; nothing for one map, or three."""
    there = [one.values for one in found if one is not None]
    correlation = rank_correlation(*there) if len(there) == len(found) == 2 else None
    if correlation is None:
        return ""
    alike = f"{correlation:.2f}".replace("-", "−")
    if briefly:
        return " · " + tr("rank correlation {correlation}", correlation=alike)
    shared = top_overlap(*there)
    said = tr(
        "rank correlation {correlation}, top {top:.0%} shared {shared:.0%}", correlation=alike, top=TOP, shared=shared
    )
    return f" · {said}"


def _title(column: Column, classes: Sequence[str], explains: bool, tight: bool) -> str:
    """What stands over a network's maps; where there is little room for it, in short lines."""
    mark = _MARKS.get(column.network.family, "")
    verdict = {True: " ✓", False: " ✗", None: ""}[column.right]
    title = (
        f"<span style='color:{theme.colour(column.network.family)}'>{mark}</span> <b>{column.label}</b>"
        f"<br>{column.predicted} {_percent(column.probability)}{verdict}"
    )
    targets = ", ".join(classes[target] for target in sorted(_targets([column])))
    if tight:
        short = title.replace(column.label, column.label.replace(":", "<br>").replace(" ", "<br>", 1), 1)
        short = short.replace(f"{column.predicted} ", f"{column.predicted}<br>", 1)
        return short + (f"<br>→ {targets}" if explains else "")
    return title + ("<br>" + tr("explains: {targets}", targets=targets) if explains else "")


def _caption(found: Attribution, narrow: bool) -> str:
    if not found.seconds:
        return ""  # a mean of maps was not made in one go
    took = f"{found.seconds:.2f} s" if found.seconds >= 0.1 else f"{found.seconds * 1000:.0f} ms"  # units stay
    if found.completeness_error is None:
        return took
    said = tr("sum off by {share}", share=_off(found))
    if found.completeness_error > max(_LITTLE * abs(found.difference), _NOTHING):
        total = float(found.values.sum(dtype=np.float64))
        said = tr("sums to {sum}, not {total}", sum=_figures(total), total=_figures(found.difference))
    return f"{took}{'<br>' if narrow else ' · '}{said}"


def _off(found: Attribution) -> str:
    """The completeness error as a share of what the map should sum to, unless that is next to nothing."""
    assert found.completeness_error is not None
    if abs(found.difference) < _NOTHING:
        return f"{found.completeness_error:.2g}"
    return _percent(found.completeness_error / abs(found.difference))


def _figures(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _sums(found: Attribution) -> str:
    total, largest = float(found.values.sum(dtype=np.float64)), _largest(found.values)
    said = tr("sum {total:.3g}, largest |value| {largest:.3g}", total=total, largest=largest)
    if found.completeness_error is None:
        return said
    return f"{said}<br>{tr('should sum to {total:.3g}', total=found.difference)}"


def _frame(layout: _Layout, target: str) -> dict[str, Any]:
    """All of the layout but the axes: the colour bar on top, transparent paper, the height."""
    base = theme.layout(percent=False, hovermode="closest", margin={"l": 4, "r": 4, "t": layout.top, "b": 4})
    kept = {name: value for name, value in base.items() if name not in ("xaxis", "yaxis", "legend")}
    bar = {
        "orientation": "h", "x": 0.5, "xanchor": "center", "yanchor": "bottom", "ypad": 0, "len": 0.66,
        "y": 1 + (layout.top - 34) / layout.inner,  # in the margin, above the titles
        "thickness": 10, "outlinewidth": 0, "tickvals": [-1, 0, 1],
        "ticktext": [tr("against {target}", target=target), "0", tr("for {target}", target=target)],
        "ticks": "", "tickfont": {"size": 12},
    }  # fmt: skip
    stops = [[index / (len(COLOURS) - 1), colour] for index, colour in enumerate(COLOURS)]
    scale = {"cmin": -1, "cmax": 1, "cmid": 0, "colorscale": stops, "colorbar": bar}
    return {**kept, "height": layout.height, "coloraxis": scale, "dragmode": False, "showlegend": False}


def _target(columns: Sequence[Column], classes: Sequence[str]) -> str:
    """The one class that all maps explain, in words."""
    targets = _targets(columns)
    return classes[targets.pop()] if len(targets) == 1 else tr("the class")


def _targets(columns: Sequence[Column]) -> set[int]:
    return {one.target for column in columns for one in column.maps}


def _map(column: Column, method: str) -> Attribution | None:
    return next((one for one in column.maps if one.method == method), None)


def _strongest(found: Attribution, scale: float) -> str:
    if is_near_zero(found.values, scale):
        return tr("near zero, {share} of the row's scale", share=_percent(_largest(found.values) / scale))
    row, column = np.unravel_index(np.abs(found.values).argmax(), found.values.shape)
    value = found.values[row, column]
    return tr("strongest {value:.2g} at row {row}, column {column}", value=value, row=row, column=column)


def _largest(values: NDArray[np.float32]) -> float:
    return float(np.abs(values).max())


def _percent(share: float) -> str:
    return (
        f"{100 * share:.0f} %"
        if share >= 0.1 or share == 0
        else f"{100 * share:.1f} %"
        if share >= 0.001
        else "< 0.1 %"
    )
