"""The frozen values that decide a run: network, training, data, seed; and its identity. No torch here."""

import hashlib
import re
from dataclasses import dataclass, fields, replace
from typing import Any

from explorer.canonical import Config, between, one_of, parsed
from explorer.errors import RequestError
from explorer.language import later, tr
from explorer.network_config import SHORTCUTS, NetworkConfig, depths, network

__all__ = ["SHORTCUTS", "Config", "NetworkConfig", "RunConfig", "TrainingConfig", "depths", "network", "override"]

SCHEDULES = ("step", "cosine")
AUGMENTATIONS = ("none", "flip", "crop+flip")
NORMALIZATIONS = ("per-pixel mean", "channel")
PRECISIONS = ("auto", "fp32", "bf16")
_IDENTITY = re.compile("[0-9a-f]{16}")
DIVERGED = later("the loss was no number any more by step {step}: try a lower learning rate")
"""What a training says that breaks off; kept in English, to be `retold`."""


@dataclass(frozen=True)
class TrainingConfig(Config):
    """A recipe. The defaults are those of section 4.2 of the paper, for any depth but 110."""

    steps: int = 64_000
    batch_size: int = 128
    learning_rate: float = 0.1
    schedule: str = "step"
    """step: divided by 10 at each milestone · cosine: down to 0 after the linear warm-up."""
    milestones: tuple[int, ...] = (32_000, 48_000)
    warm_up_steps: int = 0
    """Steps of a linear rise from 0 to the learning rate."""
    warm_up_until_error: float = 0.0
    """Train at `warm_up_rate` until the training error between two step records is below this (0: do not)."""
    warm_up_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    augmentation: str = "crop+flip"
    normalization: str = "per-pixel mean"
    image_size: int = 32
    """Side in pixels; smaller than the data's own means average-pooled."""
    train_images: int = 0
    """The first so many of a fixed shuffle of the training set (0: all)."""
    held_out: int = 0
    """Training images kept back and used in place of the test set: 5000 for the paper's 45k/5k split."""
    test_images: int = 0
    """The first so many of a fixed shuffle of the test set (0: all)."""
    clean_images: int = 2000
    """Training images on which the training error is measured in evaluation mode, not augmented."""
    evaluations: int = 40
    """Evaluations over the whole run, the last at its end; one more comes before the first step."""
    precision: str = "auto"
    """auto: bfloat16 autocast where the processor has instructions for it, else float32."""

    def __post_init__(self) -> None:
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("augmentation", self.augmentation, AUGMENTATIONS)
        one_of("normalization", self.normalization, NORMALIZATIONS)
        one_of("precision", self.precision, PRECISIONS)
        between("steps", self.steps, 1, 10_000_000)
        between("batch_size", self.batch_size, 2, 65_536)
        between("image_size", self.image_size, 8, 64)
        between("evaluations", self.evaluations, 1, 10_000)
        between("clean_images", self.clean_images, 1, 1_000_000)
        for name in ("learning_rate", "warm_up_rate"):
            if not 0 < getattr(self, name) <= 100:
                raise RequestError(
                    tr("{name} is {value}: it must be above 0 and at most 100", name=name, value=getattr(self, name))
                )
        for name in ("warm_up_steps", "train_images", "held_out", "test_images"):
            between(name, getattr(self, name), 0, 10_000_000)
        for name in ("momentum", "weight_decay", "warm_up_until_error"):
            if not 0 <= getattr(self, name) < 1:
                raise RequestError(
                    tr("{name} is {value}: it must be at least 0 and below 1", name=name, value=getattr(self, name))
                )
        if self.warm_up_steps and self.warm_up_until_error:
            raise RequestError(tr("warm_up_steps and warm_up_until_error exclude each other: choose one warm-up"))
        if self.warm_up_steps >= self.steps:
            raise RequestError(
                tr(
                    "warm_up_steps ({warm_up}) must be fewer than steps ({steps})",
                    warm_up=self.warm_up_steps,
                    steps=self.steps,
                )  # fmt: skip
            )


@dataclass(frozen=True)
class RunConfig(Config):
    """Everything that decides a run's numbers on one machine; its SHA-256 is the run's identity."""

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    data: str = ""
    """`name@fingerprint` of the image set: the same pixels are the same data wherever they lie."""
    seed: int = 0
    weights: str = ""
    """Of a network that was imported the first 16 hex digits of its weights' SHA-256; empty for one trained here."""
    start: str = ""
    """The run of a shallower network that this one starts from, identity layers added (section 1); empty: from random
    weights."""

    def __post_init__(self) -> None:
        between("seed", self.seed, 0, 2**31 - 1)
        for name in ("weights", "start"):  # they name files of the store
            if getattr(self, name) and not _IDENTITY.fullmatch(getattr(self, name)):
                raise RequestError(
                    tr("{name} is {value!r}: it must be 16 hex digits", name=name, value=getattr(self, name)[:60])
                )
        if self.network.design != "cifar":
            raise RequestError(
                tr(
                    "{network} is here to be counted and drawn: train one for CIFAR-10, as resnet-20",
                    network=self.network.name,
                )
            )

    @property
    def run(self) -> str:
        """The run's identity: 16 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def override(config: TrainingConfig, assignments: list[str]) -> TrainingConfig:
    """A recipe with `key=value` assignments applied, as typed on the command line."""
    kinds = {f.name: f.type for f in fields(config)}
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if key not in kinds or not equals:
            raise RequestError(
                tr(
                    "cannot set {assignment!r}: write key=value with one of {known}",
                    assignment=assignment,
                    known=", ".join(kinds),
                )  # fmt: skip
            )
        values[key] = parsed(key, kinds[key], text)
    return replace(config, **values)
