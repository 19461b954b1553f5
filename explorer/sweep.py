"""A sweep: networks trained with one factor at several values, all else alike, from the same seeds; and its results.

Results are kept as one file: configs and last evaluations, without layers, so that hundreds of runs ship in little.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from explorer.canonical import parsed
from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.errors import RequestError
from explorer.language import later, tr
from explorer.recipes import Recipe
from explorer.records import EvaluationRecord, Provenance, record_from_dict, record_to_dict

SHIPPED = Path(__file__).resolve().parents[1] / "assets" / "sweeps"
Results = Sequence[tuple[RunConfig, EvaluationRecord]]
"""Finished runs, each with its last evaluation."""


@dataclass(frozen=True)
class Factor:
    """What a sweep changes: a field of the network or of the recipe."""

    name: str
    label: str
    """For an axis and a control; to be `told`."""
    values: tuple[Any, ...]
    """The usual ones."""
    scale: str = "category"
    """Of the axis: log · linear · category."""

    def read(self, text: str) -> Any:
        """A value as typed; raises RequestError for what is none."""
        kinds = {f.name: f.type for owner in (NetworkConfig, TrainingConfig) for f in fields(owner)}
        return parsed(self.name, kinds[self.name], text)

    def applied(self, config: RunConfig, value: Any) -> RunConfig:
        """The same run with the factor at this value; raises RequestError where the network cannot have it."""
        if hasattr(config.network, self.name):
            return replace(config, network=replace(config.network, **{self.name: value}))
        return replace(config, training=replace(config.training, **{self.name: value}))

    def value(self, config: RunConfig) -> Any:
        """What a run has it at."""
        owner = config.network if hasattr(config.network, self.name) else config.training
        return getattr(owner, self.name)


FACTORS = {
    factor.name: factor
    for factor in (
        Factor("train_images", later("training images"), (250, 1000, 5000, 20_000, 50_000), "log"),
        Factor("dropout", later("dropout"), (0.0, 0.2, 0.5), "linear"),
        Factor("bn", later("batch normalisation"), (True, False)),
        Factor("depth", later("layers"), (8, 14, 20, 32, 44, 56), "log"),
        Factor("width", later("channels of the first stage"), (4, 8, 16, 32), "log"),
        Factor("learning_rate", later("learning rate"), (0.01, 0.03, 0.1, 0.3), "log"),
        Factor("weight_decay", later("weight decay"), (0.0, 0.0001, 0.001, 0.01)),
        Factor("batch_size", later("batch size"), (16, 32, 64, 128), "log"),
        Factor("augmentation", later("augmentation"), ("none", "flip", "crop+flip")),
        Factor("init", later("initial weights"), ("small", "xavier", "kaiming", "large")),
        Factor("warm_up_steps", later("steps of warm-up"), (0, 30, 120), "linear"),
    )
}


@dataclass(frozen=True)
class Sweep:
    """What is trained; `runs` are the trainings it consists of."""

    recipe: Recipe
    data: str
    networks: tuple[NetworkConfig, ...]
    factor: Factor
    values: tuple[Any, ...]
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        named = {"networks": self.networks, "values": self.values, "seeds": self.seeds}
        for name, values in named.items():
            if not values:
                raise RequestError(tr("a sweep needs at least one of its {name}", name=name))
            if len(set(values)) < len(values):
                raise RequestError(tr("the {name} of a sweep must differ", name=name))

    @property
    def runs(self) -> list[RunConfig]:
        """Seed by seed; a network that cannot have a value is refused with the reason."""
        return [
            self.factor.applied(RunConfig(network, self.recipe.training_for(network), self.data, seed), value)
            for seed in self.seeds
            for value in self.values
            for network in self.networks
        ]


def factor(name: str) -> Factor:
    """A factor by its name."""
    if name not in FACTORS:
        raise RequestError(tr("unknown factor {name!r}: choose one of {known}", name=name, known=", ".join(FACTORS)))
    return FACTORS[name]


def packed(results: Results, failed: Iterable[tuple[RunConfig, str]], provenance: Provenance) -> str:
    """Results as the text of a file, a line a run; of those that failed what happened."""
    head = json.dumps({"format": 1, "provenance": asdict(replace(provenance, origin="recorded"))})
    rows = [json.dumps({"config": config.to_dict(), "last": record_to_dict(_plain(last))}) for config, last in results]
    broken = [json.dumps({"config": config.to_dict(), "failed": message}) for config, message in failed]
    return "\n".join([head, *rows, *broken]) + "\n"


@dataclass(frozen=True)
class Recorded:
    """A sweep that was packed."""

    results: Results
    failed: Sequence[tuple[RunConfig, str]]
    """Trainings that did not reach their end, and why."""
    provenance: Provenance


def unpacked(text: str, name: str) -> Recorded:
    """Read `packed` back; what is damaged or newer is refused."""
    try:
        head, *rows = map(json.loads, text.splitlines())
        if head["format"] != 1:
            raise RequestError(tr("{file} is of a format that this program does not know: update it", file=name))
        results: list[tuple[RunConfig, EvaluationRecord]] = []
        failed: list[tuple[RunConfig, str]] = []
        for row in rows:
            config = RunConfig.from_dict(row["config"])
            if "failed" in row:
                failed.append((config, row["failed"]))
                continue
            last = record_from_dict(row["last"])
            assert isinstance(last, EvaluationRecord)
            results.append((config, last))
        return Recorded(results, failed, Provenance(**head["provenance"]))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise RequestError(tr("{file} is not a whole sweep ({reason})", file=name, reason=error)) from None


def _plain(last: EvaluationRecord) -> EvaluationRecord:
    return replace(last, responses=(), gradients=(), branches=())
