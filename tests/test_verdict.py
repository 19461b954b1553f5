import pytest

from explorer.config import RunConfig, network
from explorer.measurement.verdict import student_t, verdict
from explorer.records import EvaluationRecord


def _result(name: str, seed: int, error: float, images: int = 2000) -> tuple[RunConfig, EvaluationRecord]:
    evaluation = EvaluationRecord(0, 10, 1.0, error, images, 0.5, 0.1, 100, (), 1.0)
    return RunConfig(network(name), seed=seed), evaluation


def test_one_seed_has_the_interval_of_its_images() -> None:
    gap = verdict([_result("plain-8", 0, 0.40), _result("plain-32", 0, 0.60)])["plain"]
    half = 1.959964 * ((0.4 * 0.6 + 0.6 * 0.4) / 2000) ** 0.5
    assert (gap.shallow, gap.deep, gap.seeds) == (8, 32, 1)
    assert (gap.gap, gap.low, gap.high) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    assert gap.degrades
    assert not gap.improves


def test_several_seeds_have_the_interval_of_their_gaps() -> None:
    gaps = (-0.01, -0.02, -0.03)
    results = [_result("resnet-8", seed, 0.30) for seed in range(3)]
    results += [_result("resnet-32", seed, 0.30 + gap) for seed, gap in enumerate(gaps)]
    gap = verdict(results)["resnet"]
    half = 4.303 * 0.01 / 3**0.5  # the standard deviation of the three gaps is 0.01
    assert (gap.gap, gap.low, gap.high) == pytest.approx((-0.02, -0.02 - half, -0.02 + half))
    assert not gap.improves  # -0.045 .. +0.005: three seeds do not show it
    assert not gap.degrades


def test_gaps_are_taken_within_a_seed() -> None:
    """Seeds that differ a lot, all by the same gap, leave no doubt about the gap."""
    results = [_result("plain-8", seed, 0.1 * (seed + 1)) for seed in range(3)]
    results += [_result("plain-32", seed, 0.1 * (seed + 1) + 0.05) for seed in range(3)]
    gap = verdict(results)["plain"]
    assert gap.high - gap.low == pytest.approx(0, abs=1e-9)
    assert gap.degrades


def test_a_seed_without_its_partner_and_a_family_without_two_depths_are_left_out() -> None:
    results = [_result("plain-8", 0, 0.4), _result("plain-32", 0, 0.6), _result("plain-32", 1, 0.9)]
    results += [_result("resnet-8", 0, 0.4)]
    gaps = verdict(results)
    assert gaps["plain"].deep_error == pytest.approx(0.6)
    assert "resnet" not in gaps
    assert verdict([_result("plain-8", 0, 0.4), _result("plain-32", 1, 0.6)]) == {}


def test_t_is_students() -> None:
    assert student_t(1) == 12.706
    assert student_t(30) == 2.042
    assert student_t(1000) == pytest.approx(1.96, abs=0.001)
