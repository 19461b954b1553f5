"""The panel of loss surfaces: two trained networks on one plane each, one scale."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer import jobs
from explorer.engines.studies import Study
from explorer.language import later, told, tr
from explorer.plots import theme
from explorer.plots.surface import Surface, alternative_text, contours, landscapes, narrow_landscapes, slices
from explorer.records import PathPoint, PlaneRecord
from explorer.runs import Run
from explorer.ui import controls, frame, resources, sitemap, studies
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import labels

_VIEWS = {"above": later("From above"), "landscape": later("Landscape"), "slices": later("Slices")}
_PLANES = {"random": later("Random directions"), "path": later("Where training came from")}
_AXES = {"random": later("in norms of the filters"), "path": later("distance between weights")}
_BASES = {
    "random": later(
        "{images} training images, BN's statistics held fast. Random directions, each filter as long as the trained "
        "one, so that the axes compare. Two of many dimensions: another plane looks otherwise."
    ),
    "path": later(
        "{images} training images, BN's statistics held fast. Directions from the trained weights to those before, two "
        "of them: with few moments kept, most of the way always lies in their plane. Two of many dimensions: another "
        "plane looks otherwise."
    ),
}
_SIZES, _IMAGES = (49, 25), 500
_HEIGHT, _NARROW_HEIGHT = 430, 760
_MANY, _RAISED = 1e7, str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def panel() -> None:
    """Two networks, the plane, the view."""
    catalogue = resources.catalogue()
    choices = [run for run in catalogue.runs() if catalogue.has_weights(run.run) and run.config.network.blocks]
    if not choices:
        st.info(tr("No network whose weights were kept has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some: Degradation"))
        return
    left, right = st.columns(2)
    with left:
        view = controls.pick(
            tr("View"), list(_VIEWS), "above", "surface-view", lambda name: told(_VIEWS[name]),
            means=tr("**From above:** lines of equal loss. **Landscape:** the loss as height; drag to turn it. "
                     "**Slices:** along each direction alone."),
        )  # fmt: skip
    with right:
        plane = controls.pick(
            tr("Plane"), list(_PLANES), "random", "surface-plane", lambda name: told(_PLANES[name]),
            means=tr("**Random directions:** two drawn by chance, each filter as long as the trained one. "
                     "**Where training came from:** the two in which the weights moved most."),
        )  # fmt: skip
    result = st.container()
    runs, button = studies.pair(choices, "surface")
    asked = _asked(runs, plane)
    with result:
        studies.follow(asked, partial(_draw, runs, view, plane), "surface")
    with button:
        studies.press(asked, tr("Measure"), ":material/terrain:", "surface")


def _draw(runs: Sequence[Run], view: str, plane: str, found: studies.Found) -> None:
    names = labels(runs)
    shown = [_surface(run, names[run.run], study) for run, study in zip(runs, found, strict=True)]
    measured = [one for one in shown if one and one.grid()[0]]
    if not measured:
        basis = tr("The loss at {places} places around the trained weights, coarse to fine.", places=_SIZES[-1] ** 2)
        frame.finding([tr("Not measured yet.")], basis)
        return
    rests = [
        told(_BASES[plane], images=_IMAGES),
        tr("From a valley no way leads lower but over a rise of a tenth of its loss."),
    ]
    frame.finding(_sentences(measured, plane), " ".join(rests))
    studies.badge(found)
    alt = alternative_text(measured)
    if view == "slices":
        figure = slices(measured)
        live_plot(figure, key="surface-slices", height=_HEIGHT, alt=alt, narrow=theme.stacked(figure, _NARROW_HEIGHT))
        return
    figure = contours(measured, told(_AXES[plane])) if view == "above" else landscapes(measured)
    narrow = None
    if len(measured) == 2:
        narrow = (theme.stacked if view == "above" else narrow_landscapes)(figure, _NARROW_HEIGHT)
    live_plot(figure, key=f"surface-{view}", height=_HEIGHT, alt=alt, narrow=narrow)


def _sentences(measured: Sequence[Surface], plane: str) -> list[str]:
    """How far the loss rises on the plane, how many valleys there are; how much of the path lies in it."""
    said = []
    for one in measured:
        losses = [loss for loss in one.losses.values() if loss is not None]
        values: dict[str, Any] = {"network": one.label, "middle": _number(one.middle), "most": _number(max(losses))}
        if plane == "path":
            line = tr(
                "**{network}:** loss {middle} at the trained weights, up to {most}, {within:.0%} of its way lies in "
                "the plane.",
                **values, within=one.plane.within,
            )  # fmt: skip
        else:
            line = tr("**{network}:** loss {middle} at the trained weights, up to {most}.", **values)
        valleys = one.valleys()
        if valleys == 1:
            line += " " + tr("One valley.")
        elif valleys:
            line += " " + tr("{count} valleys.", count=valleys)
        said.append(line)
    return said


def _number(loss: float | None) -> str:
    """Two digits, a power of ten only where people would have to count them."""
    if loss is None:
        return tr("beyond all numbers")
    if loss >= _MANY:
        digits, _, power = f"{loss:.1e}".partition("e+")
        return f"{digits}\u00a0·\u00a010{power.lstrip('0').translate(_RAISED)}"
    return f"{loss:,.0f}" if loss >= 10 else f"{loss:.2g}"


def _surface(run: Run, label: str, study: Study | None) -> Surface | None:
    if not study or not study.records:
        return None
    plane: dict[str, Any] = study.records[0]
    path = tuple(PathPoint(**point) for point in plane["path"])
    known = {name: value for name, value in plane.items() if name not in ("kind", "path", "x", "y")}
    grid = PlaneRecord(**known, path=path, x=tuple(plane["x"]), y=tuple(plane["y"]))
    losses = {(row, column): loss for record in study.records[1:] for row, column, loss, _ in record["points"]}
    return Surface(run.config.network.family, label, grid, losses)


def _asked(runs: Sequence[Run], plane: str) -> list[studies.Asked]:
    """The finest surfaces that are there for all, else those that can be waited for."""
    for size in _SIZES:
        asked = [_of_size(run, plane, size) for run in runs]
        if studies.done(asked):
            break
    return asked


def _of_size(run: Run, plane: str, size: int) -> studies.Asked:
    arguments = ["surface", run.run, "--plane", plane, "--size", str(size), "--images", str(_IMAGES)]
    return studies.Asked(run, arguments, jobs.measuring(run.config, _IMAGES, size**2))
