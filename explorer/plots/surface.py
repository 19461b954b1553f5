"""Loss surfaces, plain beside residual on one scale: from above, in three dimensions, and cut through.

After Figures 1, 5 and 9 of Li, Xu, Taylor, Studer, Goldstein (2018).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.language import tr
from explorer.plots import theme
from explorer.records import PlaneRecord

_SCALE = "Cividis"  # even steps look even, to colour-blind eyes too
_LEVELS = 24
_EVERY = (1, 2, 4, 8)
_DEEP = 0.1  # of the loss: flatter dips are roughness, which no eye finds in the picture
_CAMERA = {"eye": {"x": 1.3, "y": -1.3, "z": 0.8}, "center": {"x": 0, "y": 0, "z": -0.12}}


@dataclass(frozen=True)
class Surface:
    """One network's plane and what of it is measured."""

    family: str
    label: str
    plane: PlaneRecord
    losses: Mapping[tuple[int, int], float | None]
    """By row and column; None where the loss overflows."""

    @property
    def middle(self) -> float | None:
        """The trained network's loss; None before it is measured."""
        return self.losses.get((len(self.plane.y) // 2, len(self.plane.x) // 2))

    def valleys(self) -> int | None:
        """From how many lowest points inside the finest grid no way leads lower but over a rise of a tenth of the loss.

        None until it is measured.
        """
        x, _, losses = self.grid()
        if len(x) < len(self.plane.x):
            return None
        inside = range(1, len(x) - 1)
        return sum(row in inside and column in inside for row, column in _lowest(losses))

    def grid(self) -> tuple[list[float], list[float], list[list[float | None]]]:
        """x, y and the losses of the finest grid of which every point is measured; empty before there is one."""
        size = len(self.plane.x)
        for every in _EVERY:
            places = range(0, size, every)
            from_edge_to_edge = places[-1] == size - 1 > 0
            if from_edge_to_edge and all((row, column) in self.losses for row in places for column in places):
                rows = [[self.losses[row, column] for column in places] for row in places]
                return [self.plane.x[i] for i in places], [self.plane.y[i] for i in places], rows
        return [], [], []


def contours(shown: Sequence[Surface], axes: str) -> go.Figure:
    """A panel a network, seen from above: colour and lines tell the loss, a line with dots the path of training."""
    figure = theme.panels([one.label for one in shown], "", percent=False, hovermode="closest")
    low, high = _range(shown)
    for column, one in enumerate(shown, 1):
        x, y, losses = one.grid()
        figure.add_trace(
            go.Contour(
                x=x, y=y, z=_logs(losses), customdata=losses, coloraxis="coloraxis", line={"width": 0.6},
                contours={"start": low, "end": high, "size": (high - low) / _LEVELS},
                hovertemplate=tr("loss %{customdata:.3g}") + "<extra>" + one.label + "</extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[point.x for point in one.plane.path], y=[point.y for point in one.plane.path],
                text=[tr("after {steps:,} steps", steps=point.step) for point in one.plane.path], mode="lines+markers",
                line={"color": "#ffffff", "width": 2},
                marker={"color": "#ffffff", "size": 7, "line": {"color": "#1a1a1a", "width": 1.5}},
                name=tr("path of training"), hovertemplate="%{text}", showlegend=False,
            ),
            row=1, col=column,
        )  # fmt: skip
        suffix = "" if column == 1 else str(column)
        figure.update_xaxes(title_text=axes, range=[min(one.plane.x), max(one.plane.x)], col=column)
        figure.update_layout({f"yaxis{suffix}": {"matches": None, "range": [min(one.plane.y), max(one.plane.y)]}})
    alike = len({(one.plane.x, one.plane.y) for one in shown}) == 1
    figure.update_yaxes(showticklabels=not alike, col=2)
    figure.update_layout(coloraxis=_coloraxis(low, high), margin_r=64)
    return figure


def landscapes(shown: Sequence[Surface]) -> go.Figure:
    """The same as mountains, one scene a network, on one height."""
    low, high = _range(shown)
    figure = make_subplots(
        rows=1, cols=len(shown), specs=[[{"type": "surface"}] * len(shown)], horizontal_spacing=0.02,
        subplot_titles=[one.label for one in shown],
    )  # fmt: skip
    for column, one in enumerate(shown, 1):
        x, y, losses = one.grid()
        figure.add_trace(
            go.Surface(
                x=x, y=y, z=_logs(losses), customdata=losses, coloraxis="coloraxis", name=one.label,
                hovertemplate=tr("loss %{customdata:.3g}") + "<extra>" + one.label + "</extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
    plain = {"showbackground": False, "title": {"text": ""}, "nticks": 5}
    height = {**plain, "range": [low, high], "tickvals": _ticks(low, high)[0], "showticklabels": False}
    figure.update_scenes(
        xaxis=plain, yaxis=plain, zaxis=height, aspectmode="cube", camera=_CAMERA, dragmode="turntable"
    )
    figure.update_layout(
        coloraxis=_coloraxis(low, high), paper_bgcolor="rgba(0,0,0,0)", font={"family": theme.FONT, "size": 13},
        margin={"l": 0, "r": 64, "t": 26, "b": 0},
    )  # fmt: skip
    return figure


def narrow_landscapes(figure: go.Figure, height: int) -> theme.Narrow:
    """One scene above the other on a narrow page."""
    upper, lower = [0.55, 1.0], [0.0, 0.45]
    titles = [
        {**title.to_plotly_json(), "x": 0.5, "y": top}
        for title, top in zip(figure.layout.annotations, (upper[1], lower[1]), strict=True)
    ]
    scenes = {"scene": {"domain": {"x": [0, 1], "y": upper}}, "scene2": {"domain": {"x": [0, 1], "y": lower}}}
    return {"height": height, "layout": {**scenes, "annotations": titles}}


def slices(shown: Sequence[Surface]) -> go.Figure:
    """The loss along each of the two directions, through the trained weights; all networks on one logarithmic axis."""
    figure = theme.panels(
        [tr("Along the first direction"), tr("Along the second")], tr("loss"), percent=False, hovermode="x unified"
    )
    for column, direction in ((1, _along_x), (2, _along_y)):
        for index, one in enumerate(shown):
            places, losses = direction(one)
            same = [other.family for other in shown[:index]].count(one.family)
            figure.add_trace(
                go.Scatter(
                    x=places, y=losses, name=one.label, legendgroup=one.label, showlegend=column == 1, mode="lines",
                    line=theme.line(one.family, 0, "test", 1, same), hovertemplate="%{y:.3g}",
                ),
                row=1, col=column,
            )  # fmt: skip
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    return figure


def alternative_text(shown: Sequence[Surface]) -> str:
    """What any of the figures shows, in words."""
    values = []
    for one in shown:
        losses = [loss for loss in one.losses.values() if loss is not None]
        if losses and one.middle is not None:
            line = tr(
                "{network}: loss {middle:.3g} in the middle, {most:.3g} at most",
                network=one.label, middle=one.middle, most=max(losses),
            )  # fmt: skip
            values.append(line)
    return tr("Loss around the trained weights. {values}.", values="; ".join(values))


def _along_x(one: Surface) -> tuple[list[float], list[float | None]]:
    row = len(one.plane.y) // 2
    known = [column for column in range(len(one.plane.x)) if (row, column) in one.losses]
    return [one.plane.x[column] for column in known], [one.losses[row, column] for column in known]


def _along_y(one: Surface) -> tuple[list[float], list[float | None]]:
    column = len(one.plane.x) // 2
    known = [row for row in range(len(one.plane.y)) if (row, column) in one.losses]
    return [one.plane.y[row] for row in known], [one.losses[row, column] for row in known]


def _lowest(losses: Sequence[Sequence[float | None]]) -> list[tuple[int, int]]:
    """The lowest point of each valley: row and column, neighbours are the eight around a point.

    The water rises: a point next to none that is under water begins a valley. Where two meet, the higher one was a
    valley if the water has risen by `_DEEP` above its lowest point, else only roughness of the other's floor.
    """
    known = {(r, c): loss for r, row in enumerate(losses) for c, loss in enumerate(row) if loss is not None}
    lowest: dict[tuple[int, int], tuple[int, int]] = {}
    found = []
    for point in sorted(known, key=lambda point: (known[point], point)):
        met = {lowest[one] for one in _around(*point) if one in lowest}
        first = min(met, key=lambda one: (known[one], one), default=point)
        found += [one for one in met - {first} if known[point] >= (1 + _DEEP) * known[one]]
        if len(met) > 1:
            lowest |= {one: first for one, its in lowest.items() if its in met}
        lowest[point] = first
    return [*found, *set(lowest.values())]


def _around(row: int, column: int) -> list[tuple[int, int]]:
    return [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]


def _logs(losses: Sequence[Sequence[float | None]]) -> list[list[float | None]]:
    return [[None if loss is None else _log(loss) for loss in row] for row in losses]


def _log(loss: float) -> float:
    return math.log10(max(loss, 1e-8))


def _range(shown: Sequence[Surface]) -> tuple[float, float]:
    """Of the common scale, as powers of ten."""
    logs = [_log(loss) for one in shown for loss in one.losses.values() if loss is not None]
    low, high = min(logs, default=0.0), max(logs, default=1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _ticks(low: float, high: float) -> tuple[list[float], list[str]]:
    """Powers of ten, and where they are few 2 and 5 times them."""
    digits = (1, 2, 5) if high - low < 2 else (1,)
    step = max(1, math.ceil((high - low) / 6))
    values = [
        digit * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1, step) for digit in digits
        if low <= math.log10(digit * 10.0**power) <= high
    ]  # fmt: skip
    return [math.log10(value) for value in values], [f"{value:g}" for value in values]


def _coloraxis(low: float, high: float) -> dict[str, object]:
    ticks, words = _ticks(low, high)
    bar = {"title": {"text": tr("loss")}, "tickvals": ticks, "ticktext": words, "thickness": 12, "len": 0.9}
    return {"cmin": low, "cmax": high, "colorscale": _SCALE, "colorbar": bar}
