"""Multigrid against closed forms, a dense solver, and what textbooks promise of it."""

import math

import numpy as np
import pytest

from explorer.errors import RequestError
from explorer.measurement.multigrid import (
    GRIDS,
    SMOOTHERS,
    STARTS,
    cycle_work,
    interpolated,
    multigrid,
    relaxed,
    residual,
    restricted,
    slowest_pair,
    smooth_part,
    v_cycle,
)


def _matrix(points: int) -> np.ndarray:
    """-u'' on `points` inner points."""
    return (2 * np.eye(points) - np.eye(points, k=1) - np.eye(points, k=-1)) * (points + 1) ** 2


def _mode(points: int, number: int) -> np.ndarray:
    return np.sin(number * np.pi * np.arange(1, points + 1) / (points + 1))


def test_the_residual_is_that_of_the_matrix() -> None:
    chance = np.random.default_rng(0)
    u, f = chance.standard_normal((2, 15))
    assert residual(u, f) == pytest.approx(f - _matrix(15) @ u)


@pytest.mark.parametrize("number", [1, 4, 8, 15])
def test_jacobi_damps_each_wave_by_its_eigenvalue(number: int) -> None:
    factor = 1 - 2 / 3 * (1 - math.cos(number * math.pi / 16))
    wave = _mode(15, number)
    assert relaxed(wave, np.zeros(15), 3, "jacobi") == pytest.approx(factor**3 * wave)


def test_gauss_seidel_is_the_sweep_from_point_to_point() -> None:
    chance = np.random.default_rng(1)
    u, f = chance.standard_normal((2, 15))
    by_hand = np.pad(u, 1)
    for point in range(1, 16):
        by_hand[point] = (by_hand[point - 1] + by_hand[point + 1] + f[point - 1] / 16**2) / 2
    assert relaxed(u, f, 1, "gauss-seidel") == pytest.approx(by_hand[1:-1])


def test_the_coarse_problem_is_the_fine_one_seen_through_the_transfers() -> None:
    """R A P = A on the coarse grid, and R is half of P's transpose: what makes the correction consistent."""
    interpolation = np.array([interpolated(row) for row in np.eye(7)]).T
    restriction = np.array([restricted(row) for row in np.eye(15)]).T
    assert restriction == pytest.approx(interpolation.T / 2)
    assert restriction @ _matrix(15) @ interpolation == pytest.approx(_matrix(7))


@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_v_cycles_arrive_at_the_solution_of_a_dense_solver(smoother: str) -> None:
    f = np.random.default_rng(2).standard_normal(63)
    u = np.zeros(63)
    for _ in range(20):
        u = v_cycle(u, f, 1, smoother)
    assert u == pytest.approx(np.linalg.solve(_matrix(63), f), rel=1e-9)


@pytest.mark.parametrize("intervals", GRIDS)
@pytest.mark.parametrize("smoother", SMOOTHERS)
@pytest.mark.parametrize("sweeps", [1, 2, 3])
def test_a_pair_of_v_cycles_divides_the_error_by_ten_where_relaxation_alone_does_not(intervals, smoother, sweeps):
    for start in STARTS:
        found = multigrid(intervals, sweeps, smoother, start)
        assert slowest_pair(found.cycles.errors) >= 10
        assert slowest_pair(found.relaxation.errors) < 3
    found = multigrid(intervals, sweeps, smoother)
    assert slowest_pair(found.cycles.residuals) >= 10
    assert slowest_pair(found.relaxation.residuals) < 3


def test_v_cycles_do_not_slow_down_on_finer_grids() -> None:
    coarse, fine = (slowest_pair(multigrid(intervals).cycles.errors) for intervals in (64, 1024))
    assert fine == pytest.approx(coarse, rel=0.1)


def test_both_do_the_same_work() -> None:
    found = multigrid(64, sweeps=2, cycles=3)
    assert found.cycles.work == pytest.approx([0, *(found.cycles.work[1] * np.arange(1, 4))])
    for spent, sweeps in zip(found.cycles.work, found.relaxation.work, strict=True):
        assert 0 <= sweeps - spent < 1
    # 2 + 2 sweeps and a residual on 63, 31, 15, 7 and 3 points, the last point solved once
    assert cycle_work(64, 2) == pytest.approx((5 * (63 + 31 + 15 + 7 + 3) + 1) / 63)


def test_relaxation_leaves_what_is_smooth() -> None:
    found = multigrid(256)
    assert smooth_part(found.relaxation.approximations[0]) < 0.9
    assert smooth_part(found.relaxation.approximations[1]) > 0.999
    assert smooth_part(_mode(15, 7)) == pytest.approx(1)
    assert smooth_part(_mode(15, 9)) == pytest.approx(0)


@pytest.mark.parametrize("intervals", [0, 2, 3, 100])
def test_grids_that_cannot_be_halved_are_refused(intervals: int) -> None:
    with pytest.raises(RequestError, match="power of two"):
        multigrid(intervals)
