"""What does one factor change? Errors at the end over its values, and how two networks differ at each."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from explorer.config import NetworkConfig, RunConfig
from explorer.measurement.verdict import student_t
from explorer.records import EvaluationRecord

SPLITS = ("training", "test")


@dataclass(frozen=True)
class Point:
    """One network at one value of the factor: errors at the end, a number a seed, as fractions."""

    value: Any
    training: tuple[float, ...]
    test: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """How much more often one of two networks errs than the other at one value of the factor, as a fraction."""

    value: Any
    mean: float
    low: float
    high: float
    """The 95 % interval over seeds, paired; infinitely wide with one."""
    seeds: int

    @property
    def sign(self) -> int:
        """1 or −1 where the interval leaves out zero, else 0."""
        return (self.low > 0) - (self.high < 0)


def points(results: Iterable[tuple[RunConfig, EvaluationRecord]], field: str) -> dict[NetworkConfig, list[Point]]:
    """By network, the factor `field` of it left at its default, a point a value, in the order of the values."""
    found: dict[NetworkConfig, dict[Any, dict[int, EvaluationRecord]]] = {}
    for config, last in results:
        network, value = _apart(config, field)
        found.setdefault(network, {}).setdefault(value, {})[config.seed] = last
    return {network: [_point(value, found[network][value]) for value in _ordered(found[network])] for network in found}


def differences(
    results: Iterable[tuple[RunConfig, EvaluationRecord]],
    field: str,
    first: NetworkConfig,
    second: NetworkConfig,
    split: str = "test",
) -> list[Difference]:
    """Error of `first` minus that of `second` at each value that both have seeds in common for."""
    errors = _errors(results, field, split)
    one, other = errors.get(first, {}), errors.get(second, {})
    return [found for value in _ordered(one) if (found := _difference(value, one[value], other.get(value, {})))]


def changes(
    results: Iterable[tuple[RunConfig, EvaluationRecord]],
    field: str,
    network: NetworkConfig,
    base: Any,
    split: str = "test",
) -> list[Difference]:
    """Error of one network at each other value of the factor minus that at `base`."""
    errors = _errors(results, field, split).get(network, {})
    others = [value for value in _ordered(errors) if value != base]
    return [found for value in others if (found := _difference(value, errors[value], errors.get(base, {})))]


def _errors(
    results: Iterable[tuple[RunConfig, EvaluationRecord]], field: str, split: str
) -> dict[NetworkConfig, dict[Any, dict[int, float]]]:
    """By network without the factor, by value, by seed: the error at the end."""
    found: dict[NetworkConfig, dict[Any, dict[int, float]]] = {}
    for config, last in results:
        network, value = _apart(config, field)
        by_seed = found.setdefault(network, {}).setdefault(value, {})
        by_seed[config.seed] = last.test_error if split == "test" else last.training_error
    return found


def _apart(config: RunConfig, field: str) -> tuple[NetworkConfig, Any]:
    """The network without the factor, and the factor's value."""
    if not hasattr(config.network, field):
        return config.network, getattr(config.training, field)
    return replace(config.network, **{field: getattr(NetworkConfig(), field)}), getattr(config.network, field)


def _ordered(values: Iterable[Any]) -> list[Any]:
    """Numbers by size; words and switches as they came."""
    found = list(values)
    return sorted(found) if all(type(value) in (int, float) for value in found) else found


def _point(value: Any, by_seed: dict[int, EvaluationRecord]) -> Point:
    last = [by_seed[seed] for seed in sorted(by_seed)]
    return Point(value, tuple(e.training_error for e in last), tuple(e.test_error for e in last))


def _difference(value: Any, first: dict[int, float], second: dict[int, float]) -> Difference | None:
    """What `first` has more than `second`, seed by seed; None without a seed in common."""
    pairs = [error - second[seed] for seed, error in first.items() if seed in second]
    if not pairs:
        return None
    half = student_t(len(pairs) - 1) * stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else math.inf
    return Difference(value, mean(pairs), mean(pairs) - half, mean(pairs) + half, len(pairs))
