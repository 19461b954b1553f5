"""The panel of multigrid: relaxation against V-cycles, computed when it is looked at."""

import math
import time

import streamlit as st

from explorer import provenance
from explorer.language import later, told, tr
from explorer.measurement import multigrid
from explorer.measurement.multigrid import Comparison, slowest_pair, smooth_part
from explorer.plots import multigrid as plots
from explorer.records import Provenance
from explorer.ui import address, controls, frame
from explorer.ui.live_plot import live_plot

_SMOOTHERS = {"jacobi": later("Jacobi (weight ⅔)"), "gauss-seidel": later("Gauss–Seidel")}
_STARTS = {"both": later("Waves and ripples"), "smooth": later("Waves"), "rough": later("Ripples")}
_ENOUGH = 10.0
"""What a pair of V-cycles is to divide the error by."""
_HEIGHT = 340
_ABOUT = later(
    "What you are looking at: −u″ = f on a line, zero at both ends. Relaxation takes each point closer to the mean of "
    "its neighbours, so ripples go at once and long waves hardly at all. A V-cycle relaxes a little, then solves for "
    "what is still missing, the residual's equation A e = f − A u, on a grid of half as many points, where long waves "
    "are short; and so on down to one point. The paper names multigrid in section 2, *Residual Representations* "
    "(reference 3: Briggs, Henson, McCormick, *A Multigrid Tutorial*, 2000): each scale is responsible for the "
    "residual between a coarser and a finer one, and a good reformulation makes the problem easier to solve. It is "
    "an analogy: there the residual is solved for, in a residual network it is learnt."
)


def panel() -> None:
    """Grid, sweeps, cycles looked at; norms by the work, and the error itself."""
    st.header(tr("Is what is still missing easier to find on coarser grids?"), anchor=False)
    left, middle, right, more = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    with address.kept("multigrid-grid", 256, multigrid.GRIDS):
        intervals = left.select_slider(
            tr("Intervals of the grid"), multigrid.GRIDS, key="multigrid-grid",
            help=tr("Of the finest grid; each coarser one has half as many."),
        )  # fmt: skip
    with address.kept("multigrid-sweeps", 1, range(1, 4)):
        sweeps = middle.slider(
            tr("Sweeps on each grid, down and up"), 1, 3, key="multigrid-sweeps",
            help=tr("A sweep visits every point once; 1 to 3 of them before going coarser, and again on the way back."),
        )  # fmt: skip
    with address.kept("multigrid-cycle", 2, range(multigrid.CYCLES + 1)):
        cycle = right.slider(
            tr("V-cycles done"), 0, multigrid.CYCLES, key="multigrid-cycle",
            help=tr("When the error on the right is drawn: after 0 to {most} cycles.", most=multigrid.CYCLES),
        )  # fmt: skip
    with more.popover(tr("More"), icon=":material/tune:", width="stretch"):
        smoother = controls.pick(
            tr("Relaxation"), list(_SMOOTHERS), "jacobi", "multigrid-smoother", lambda name: told(_SMOOTHERS[name]),
            means=tr("**Jacobi** moves all points at once, **Gauss–Seidel** one after the other, each by its newest "
                     "neighbours."),
        )  # fmt: skip
        start = controls.pick(
            tr("The error at the start"), list(_STARTS), "both", "multigrid-start", lambda name: told(_STARTS[name]),
            means=tr("Long waves, short ripples, or both: relaxation takes away ripples only."),
        )  # fmt: skip
    found, made = _found(intervals, sweeps, smoother, start)
    frame.finding(
        [_verdict(found), _left(found, cycle)],
        tr(
            "The least factor of all pairs among {cycles} V-cycles. A residual counts as a sweep, going from grid to "
            "grid as none.",
            cycles=multigrid.CYCLES,
        ),
    )
    frame.provenance_badge(made)
    left, right = st.columns(2)
    with left:
        figure = plots.norms(found, cycle)
        live_plot(figure, key="multigrid-norms", height=_HEIGHT, alt=plots.norms_text(found))
    with right:
        figure = plots.errors(found, cycle)
        live_plot(figure, key="multigrid-errors", height=_HEIGHT, alt=plots.errors_text(found, cycle))
    st.caption(told(_ABOUT))


@st.cache_data(max_entries=64, show_spinner=False)
def _found(intervals: int, sweeps: int, smoother: str, start: str) -> tuple[Comparison, Provenance]:
    began = time.perf_counter()
    found = multigrid.multigrid(intervals, sweeps, smoother, start)
    seconds = time.perf_counter() - began
    return found, provenance.computed_here("", "fp64", ("numpy", "scipy"), seconds=seconds)


def _verdict(found: Comparison) -> str:
    """Whether a pair of V-cycles divides the error by ten, and whether relaxation alone does."""
    pair, alone = slowest_pair(found.cycles.errors), slowest_pair(found.relaxation.errors)
    values = {
        "pair": math.floor(pair),
        "least": pair,
        "alone": alone,
        "sweeps": found.relaxation.work[2],
        "intervals": found.intervals,
    }
    if pair >= _ENOUGH > alone:
        return tr(
            "**Yes:** on {intervals} intervals any two V-cycles divide the error by {pair} or more, as much "
            "relaxation alone, {sweeps:.0f} sweeps, by as little as {alone:.2f}.",
            **values,
        )
    if pair >= _ENOUGH:
        return tr(
            "**Not needed here:** any two V-cycles divide the error by {pair} or more, but so does as much "
            "relaxation alone, by {alone:.0f}.",
            **values,
        )
    return tr(
        "**Not here:** two V-cycles divide the error by as little as {least:.1f}, relaxation alone with the same work "
        "by {alone:.2f}.",
        **values,
    )


def _left(found: Comparison, cycle: int) -> str:
    """What is left where one looks, and how smooth it is."""
    if cycle == 0:
        return tr("At the start {smooth:.0%} of the error's square is smooth.", smooth=_smooth(found, 0))
    return tr(
        "After {cycle} V-cycles {cycles} of it is left, after as much relaxation {alone}, of which {smooth:.0%} (of "
        "its square) is smooth: a coarser grid can hold it.",
        cycle=cycle, cycles=_part(found.cycles.errors[cycle]), alone=_part(found.relaxation.errors[cycle]),
        smooth=_smooth(found, cycle),
    )  # fmt: skip


def _smooth(found: Comparison, cycle: int) -> float:
    return smooth_part(found.relaxation.approximations[cycle])


def _part(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 else f"{100 * value:.2g}%" if value >= 1e-5 else tr("less than 0.001%")
