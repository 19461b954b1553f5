"""Does depth raise the training error? What the runs at hand allow to be said, and no more."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist, mean, stdev

from explorer.config import RunConfig
from explorer.records import EvaluationRecord

# Student's t, 97.5 %, for 1 to 30 degrees of freedom; beyond, the normal distribution is within 2 %.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Gap:
    """Training error of the deepest network minus that of the shallowest, of one family, as fractions."""

    family: str
    shallow: int
    deep: int
    """Depths."""
    shallow_error: float
    deep_error: float
    """Means over the seeds."""
    gap: float
    low: float
    high: float
    """The 95 % interval of the gap."""
    seeds: int
    """How many were compared; with one the interval is over the images alone, and another seed may differ by more."""
    images: int
    """Training images on which each error was measured."""

    @property
    def degrades(self) -> bool:
        """Whether the interval lies above zero: deeper is worse."""
        return self.low > 0

    @property
    def improves(self) -> bool:
        """Whether the interval lies below zero: deeper is better."""
        return self.high < 0


def verdict(results: Iterable[tuple[RunConfig, EvaluationRecord]]) -> dict[str, Gap]:
    """The gap of each family that has two depths with at least one seed in common; final evaluations go in."""
    errors: dict[str, dict[int, dict[int, EvaluationRecord]]] = {}
    for config, evaluation in results:
        by_depth = errors.setdefault(config.network.family, {})
        by_depth.setdefault(config.network.depth, {})[config.seed] = evaluation
    gaps = {family: _gap(family, by_depth) for family, by_depth in errors.items() if len(by_depth) > 1}
    return {family: gap for family, gap in gaps.items() if gap is not None}


def _gap(family: str, by_depth: dict[int, dict[int, EvaluationRecord]]) -> Gap | None:
    shallow, deep = min(by_depth), max(by_depth)
    seeds = sorted(by_depth[shallow].keys() & by_depth[deep].keys())
    if not seeds:
        return None
    low_errors = [by_depth[shallow][seed].training_error for seed in seeds]
    high_errors = [by_depth[deep][seed].training_error for seed in seeds]
    gaps = [deep_error - shallow_error for shallow_error, deep_error in zip(low_errors, high_errors, strict=True)]
    images = by_depth[shallow][seeds[0]].training_images
    if len(seeds) > 1:
        half = student_t(len(seeds) - 1) * stdev(gaps) / math.sqrt(len(seeds))
    else:
        variance = _variance(low_errors[0], images) + _variance(high_errors[0], images)
        half = NormalDist().inv_cdf(0.975) * math.sqrt(variance)
    gap, errors = mean(gaps), (mean(low_errors), mean(high_errors))
    return Gap(family, shallow, deep, *errors, gap, gap - half, gap + half, len(seeds), images)


def _variance(error: float, images: int) -> float:
    """Of the error of one network over samples of so many images."""
    return error * (1 - error) / images


def student_t(degrees: int) -> float:
    """The 97.5 % point of Student's t."""
    return _T[degrees - 1] if degrees <= len(_T) else NormalDist().inv_cdf(0.975)
