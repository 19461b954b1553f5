"""Does it pay to solve for the residual on a coarser grid? Multigrid in one dimension (Briggs, Henson, McCormick 2000).

-u'' = f on (0, 1) with u = 0 at both ends, on a grid of 2^k equal intervals: A u = f with the three-point stencil. How
fast an iteration converges does not depend on f, so f is zero here: the solution is zero too, and what the
approximation still has is the error itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.linalg import solve_banded

from explorer.errors import RequestError

Values: TypeAlias = NDArray[np.float64]
"""At the inner points of a grid, 2^k - 1 of them."""

GRIDS = (16, 32, 64, 128, 256, 512, 1024)
"""Intervals."""
SMOOTHERS = ("jacobi", "gauss-seidel")
STARTS = ("both", "smooth", "rough")
CYCLES = 8
LARGEST_GRID = 65_536
_WEIGHT = 2 / 3
"""Of Jacobi's step: damps the rough half of the modes best (Briggs et al., section 2)."""


@dataclass(frozen=True)
class Course:
    """An iteration, seen at the start and each time that one more V-cycle's work is done."""

    work: tuple[float, ...]
    """Done so far, in sweeps over the finest grid."""
    residuals: tuple[float, ...]
    """Euclidean norm of f - A u, as a part of that at the start."""
    errors: tuple[float, ...]
    """The same of the error."""
    approximations: tuple[tuple[float, ...], ...]
    """At the inner points: what is left of the error."""


@dataclass(frozen=True)
class Comparison:
    """The same start and the same work, with coarser grids and without."""

    intervals: int
    cycles: Course
    relaxation: Course
    """Sweeps over the finest grid alone; a part of a sweep that a V-cycle's work leaves is given on top."""


def multigrid(
    intervals: int = 256, sweeps: int = 1, smoother: str = SMOOTHERS[0], start: str = STARTS[0], cycles: int = CYCLES
) -> Comparison:
    """V-cycles with `sweeps` relaxations on the way down and as many on the way up, against relaxation alone.

    `smoother` is Jacobi's with weight 2/3 or Gauss and Seidel's. Raises RequestError for a grid that cannot be halved
    down to one inner point.
    """
    if intervals < 4 or intervals & (intervals - 1):
        raise RequestError(f"{intervals} intervals: take a power of two from 4 on, so that each grid has a coarser one")
    if intervals > LARGEST_GRID:
        raise RequestError(f"{intervals} intervals: take {LARGEST_GRID:,} at most")
    f, error = np.zeros(intervals - 1), starting_error(intervals, start)
    cost = cycle_work(intervals, sweeps)
    work = [cycle * cost for cycle in range(cycles + 1)]
    by_cycles, by_sweeps, done = [error], [error], 0
    for spent in work[1:]:
        by_cycles.append(v_cycle(by_cycles[-1], f, sweeps, smoother))
        by_sweeps.append(relaxed(by_sweeps[-1], f, math.ceil(spent) - done, smoother))
        done = math.ceil(spent)
    whole = [math.ceil(spent) for spent in work]
    return Comparison(intervals, _course(work, by_cycles), _course(whole, by_sweeps))


def slowest_pair(values: tuple[float, ...]) -> float:
    """By what factor two V-cycles' work divides the values, where it does so least."""
    return min(first / third for first, third in zip(values, values[2:], strict=False))


def smooth_part(u: Sequence[float]) -> float:
    """How much of the square of `u` is in waves that the grid of half as many intervals can hold, 0..1."""
    power = np.square(dst(np.asarray(u), type=1))
    return float(power[: len(u) // 2].sum() / power.sum())


def starting_error(intervals: int, kind: str) -> Values:
    """smooth: a wave and one of four times its frequency · rough: ripples from point to point · both, added."""
    x = np.arange(1, intervals) / intervals
    smooth = np.sin(np.pi * x) + 0.5 * np.sin(4 * np.pi * x)
    rough = 0.5 * np.sin(0.75 * intervals * np.pi * x)
    return {"smooth": smooth, "rough": rough, "both": smooth + rough}[kind]


def v_cycle(u: Values, f: Values, sweeps: int, smoother: str) -> Values:
    """One V-cycle: relax, solve A e = f - A u for the error e on the grid of half as many intervals, add it, relax."""
    if len(u) == 1:
        return f / (2 * 2**2)  # one inner point: exact
    u = relaxed(u, f, sweeps, smoother)
    missing = restricted(residual(u, f))
    u = u + interpolated(v_cycle(np.zeros_like(missing), missing, sweeps, smoother))
    return relaxed(u, f, sweeps, smoother)


def cycle_work(intervals: int, sweeps: int) -> float:
    """What a V-cycle costs, in sweeps over the finest grid; a residual counts as one, the way between grids as none."""
    points = [(intervals >> level) - 1 for level in range(int(math.log2(intervals)) - 1)]
    return float((2 * sweeps + 1) * sum(points) + 1) / (intervals - 1)


def relaxed(u: Values, f: Values, sweeps: int, smoother: str) -> Values:
    """After so many sweeps of relaxation."""
    square = 1 / (len(u) + 1) ** 2
    for _ in range(sweeps):
        if smoother == "jacobi":
            u = u + _WEIGHT * (square / 2) * residual(u, f)
        else:  # each point takes its left neighbour's new value: a triangular system
            bands = np.array([np.full_like(u, 2.0), np.full_like(u, -1.0)])
            u = solve_banded((1, 0), bands, np.append(u[1:], 0.0) + square * f)
    return u


def residual(u: Values, f: Values) -> Values:
    """f - A u."""
    padded = np.pad(u, 1)
    return f - (2 * u - padded[:-2] - padded[2:]) * (len(u) + 1) ** 2


def restricted(fine: Values) -> Values:
    """Onto the grid of half as many intervals: each point with half of its neighbours (full weighting)."""
    return (fine[:-2:2] + 2 * fine[1::2] + fine[2::2]) / 4


def interpolated(coarse: Values) -> Values:
    """Onto the grid of twice as many intervals, straight between the points."""
    fine = np.empty(2 * len(coarse) + 1)
    fine[1::2] = coarse
    padded = np.pad(coarse, 1)
    fine[::2] = (padded[:-1] + padded[1:]) / 2
    return fine


def _course(work: list[float] | list[int], approximations: list[Values]) -> Course:
    f = np.zeros_like(approximations[0])
    residuals = [float(np.linalg.norm(residual(u, f))) for u in approximations]
    errors = [float(np.linalg.norm(u)) for u in approximations]
    return Course(
        tuple(float(spent) for spent in work),
        tuple(norm / residuals[0] for norm in residuals),
        tuple(norm / errors[0] for norm in errors),
        tuple(tuple(map(float, u)) for u in approximations),
    )
