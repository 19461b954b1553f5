"""How do the errors at the end of training depend on depth? Runs that differ in depth, shortcut and seed alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import mean, stdev

from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.records import EvaluationRecord

FAMILIES = ("plain", "resnet")


@dataclass(frozen=True)
class Experiment:
    """What the runs of one comparison have in common."""

    training: TrainingConfig
    data: str
    width: int


@dataclass(frozen=True)
class Spread:
    """A mean over seeds and their standard deviation; None with one seed."""

    mean: float
    std: float | None


@dataclass(frozen=True)
class FinalErrors:
    """One network's errors at the end, over its seeds, as fractions."""

    network: NetworkConfig
    training: Spread
    """On clean training images."""
    test: Spread
    seeds: int


def experiments(results: Iterable[tuple[RunConfig, EvaluationRecord]]) -> dict[Experiment, list[FinalErrors]]:
    """Final evaluations by experiment, those with plain and residual networks of two depths or more; shallow first.

    Of the networks those of section 4.2: basic blocks, identity shortcuts or none, nothing else set.
    """
    found: dict[Experiment, dict[NetworkConfig, list[EvaluationRecord]]] = {}
    for config, evaluation in results:
        network = config.network
        if network == _usual(network) and not config.weights and not config.start:
            training = replace(config.training, warm_up_until_error=0.0)  # which the paper's 110 layers alone have
            networks = found.setdefault(Experiment(training, config.data, network.width), {})
            networks.setdefault(network, []).append(evaluation)
    return {
        experiment: [_final(network, networks[network]) for network in sorted(networks, key=lambda n: n.depth)]
        for experiment, networks in found.items()
        if all(len({n.depth for n in networks if n.family == family}) > 1 for family in FAMILIES)
    }


def _usual(network: NetworkConfig) -> NetworkConfig | None:
    if network.family not in FAMILIES or network.design != "cifar":
        return None
    return NetworkConfig(network.depth, "none" if network.family == "plain" else "A", network.width)


def _final(network: NetworkConfig, evaluations: list[EvaluationRecord]) -> FinalErrors:
    training = _spread([evaluation.training_error for evaluation in evaluations])
    return FinalErrors(network, training, _spread([e.test_error for e in evaluations]), len(evaluations))


def _spread(values: list[float]) -> Spread:
    return Spread(mean(values), stdev(values) if len(values) > 1 else None)
