"""Multigrid against relaxation: what is left of residual and error by the work done, and what the error looks like."""

from typing import Any

import plotly.graph_objects as go

from explorer.language import later, told, tr
from explorer.measurement.multigrid import Comparison, Course
from explorer.plots import theme

_NAMES = {"relaxation": later("relaxation"), "cycles": later("V-cycles")}
_COLOURS = {"relaxation": theme.PLAIN, "cycles": theme.RESIDUAL}
_LEAST = -12
"""Smaller norms than ten to this power run off the axis."""


def norms(found: Comparison, cycle: int) -> go.Figure:
    """Norms of the residual (bold) and of the error (thin) by the work, logarithmic; a line at the cycle looked at."""
    figure = go.Figure(
        layout=theme.layout(
            tr("work, in sweeps over the finest grid"), tr("part of the norm left"), percent=False, hovermode="closest"
        )
    )
    for key, course in _courses(found).items():
        for what, values, style in (
            (tr("residual"), course.residuals, {"width": 2.75}),
            (tr("error e"), course.errors, {"width": 1.25, "dash": "dash"}),
        ):
            name = f"{told(_NAMES[key])}, {what}"
            figure.add_scatter(
                x=course.work, y=values, name=name, mode="lines+markers", marker={"size": 5},
                line={"color": _COLOURS[key], **style},
                hovertemplate=tr("%{x:.0f} sweeps: %{y:.2g}") + f"<extra>{name}</extra>",
            )  # fmt: skip
    ticks = range(_LEAST, 1, 3)
    figure.update_yaxes(
        type="log", rangemode="normal", range=[_LEAST, 0.4], tickvals=[10.0**power for power in ticks],
        ticktext=["1" if not power else f"10<sup>−{-power}</sup>" for power in ticks],
    )  # fmt: skip
    if cycle:
        figure.add_vline(x=found.cycles.work[cycle], line={"color": theme.PAPER, "width": 1, "dash": "dot"})
    return figure


def errors(found: Comparison, cycle: int) -> go.Figure:
    """The error over the interval: at the start (grey), and after so many V-cycles or as much relaxation."""
    figure = go.Figure(layout=theme.layout("x", tr("error e"), percent=False, hovermode="closest"))
    points = [index / found.intervals for index in range(found.intervals + 1)]

    def add(course: Course, at: int, name: str, line: dict[str, Any]) -> None:
        figure.add_scatter(
            x=points, y=[0.0, *course.approximations[at], 0.0], name=name, mode="lines", line=line,
            hovertemplate=f"%{{y:.3g}}<extra>{name}</extra>",
        )  # fmt: skip

    add(found.cycles, 0, tr("at the start"), {"color": theme.PAPER, "width": 1})
    for key, course in _courses(found).items():
        name = tr("after {name}", name=told(_NAMES[key]))
        add(course, cycle, name, {"color": _COLOURS[key], "width": 2.5})
    most = 1.1 * max(map(abs, found.cycles.approximations[0]))
    figure.update_yaxes(range=[-most, most], rangemode="normal", zeroline=True, zerolinewidth=1)
    return figure


def norms_text(found: Comparison) -> str:
    """What `norms` shows, in words."""
    said = "; ".join(
        tr(
            "{name}: residual {residual:.2g}, error {error:.2g} after the work of {work:.0f} sweeps",
            name=told(_NAMES[key]), residual=course.residuals[-1], error=course.errors[-1], work=course.work[-1],
        )
        for key, course in _courses(found).items()
    )  # fmt: skip
    return tr("Norms of residual and error against the work, logarithmic. {said}.", said=said)


def errors_text(found: Comparison, cycle: int) -> str:
    """What `errors` shows, in words."""
    left = {key: max(map(abs, course.approximations[cycle])) for key, course in _courses(found).items()}
    return tr(
        "The error along the interval after {cycle} V-cycles: at most {cycles:.2g}; after as much relaxation at most "
        "{relaxation:.2g}.",
        cycle=cycle, **left,
    )  # fmt: skip


def _courses(found: Comparison) -> dict[str, Course]:
    return {"relaxation": found.relaxation, "cycles": found.cycles}
