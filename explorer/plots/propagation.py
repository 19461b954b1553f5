"""Trunk and branch, block by block, with BN and without: De and Smith (2020)."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import plotly.graph_objects as go

from explorer.language import later, told, tr
from explorer.plots import theme

if TYPE_CHECKING:  # torch comes with it, and the page is painted before
    from explorer.measurement.propagation import BlockSignal

_NAMES = {"plain": later("plain"), "resnet": later("residual"), "skipinit": later("SkipInit")}
_PARTS = {"F": later("F"), "trunk": later("trunk"), "branch": later("branch")}
_WITH_BN = later("{network} with BN, {part}: {first:.2g} in the first block, {last:.2g} in the last")
_WITHOUT_BN = later("{network} without BN, {part}: {first:.2g} in the first block, {last:.2g} in the last")

Shown: TypeAlias = "Mapping[tuple[str, bool], Sequence[BlockSignal]]"
"""Family and whether it has BN, and its signal in every block."""


def signal_lines(shown: Shown) -> go.Figure:
    """With BN left, without right, on one logarithmic axis: the trunk bold, the branch dashed, plain has only F."""
    figure = theme.panels([tr("With BN"), tr("Without BN")], tr("mean square"), percent=False, hovermode="closest")
    named: set[str] = set()
    for (family, bn), signals in shown.items():
        for part, values in _parts(signals).items():
            name = told(_NAMES[family]) + ("" if part == "F" else f", {told(_PARTS[part])}")
            line = theme.line(family, 1, "test", variant=1 if part == "branch" else 0)
            figure.add_trace(
                go.Scatter(
                    x=list(range(1, len(values) + 1)),
                    y=[value or None for value in values],
                    name=name,
                    mode="lines",
                    line=line,
                    showlegend=name not in named,
                    legendgroup=name,
                    customdata=[signal.block for signal in signals],
                    hovertemplate="%{customdata}: %{y:.3g}<extra>" + name + "</extra>",
                ),
                row=1,
                col=1 if bn else 2,
            )
            named.add(name)
    for entry in _entries(next(iter(shown.values()), ())):
        figure.add_vline(x=entry - 0.5, line={"color": theme.PAPER, "width": 1, "dash": "dot"}, layer="below")
    figure.update_xaxes(**theme.axis(tr("block")))
    figure.update_yaxes(type="log", exponentformat="power", dtick=_decades(shown))
    return figure


def alternative_text(shown: Shown) -> str:
    """What `signal_lines` shows, in words."""
    lines = [
        told(
            _WITH_BN if bn else _WITHOUT_BN,
            network=told(_NAMES[family]),
            part=told(_PARTS[part]),
            first=values[0],
            last=values[-1],
        )  # fmt: skip
        for (family, bn), signals in shown.items()
        for part, values in _parts(signals).items()
    ]
    return tr("Mean square of the signal, block by block, logarithmic. {values}.", values="; ".join(lines))


def _parts(signals: "Sequence[BlockSignal]") -> dict[str, list[float]]:
    """The lines of one network. A branch that is zero throughout has no place on a logarithmic axis."""
    branch = [signal.branch for signal in signals]
    trunk = [signal.trunk for signal in signals if signal.trunk is not None]
    if not trunk:
        return {"F": branch}
    return {"trunk": trunk, "branch": branch} if any(branch) else {"trunk": trunk}


def _entries(signals: "Sequence[BlockSignal]") -> list[int]:
    """The blocks, counted from 1, with which a new stage begins."""
    return [index for index, signal in enumerate(signals, 1) if index > 1 and signal.block.endswith(".0")]


def _decades(shown: Shown) -> int:
    """Between two ticks, so that there are about six."""
    values = [value for signals in shown.values() for part in _parts(signals).values() for value in part if value > 0]
    return max(1, round(math.log10(max(values) / min(values)) / 6)) if values else 1
