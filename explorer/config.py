"""The frozen values that decide a run, and their names, JSON and identity. No torch here.

A config leaves out of its canonical form whatever equals the default, so that a field added later does
not change the identity of the runs there are. For the same reason a default, once published, stays.
"""

import hashlib
import json
import re
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from explorer.errors import RequestError

SHORTCUTS = ("none", "A", "B", "C")
SCHEDULES = ("step", "cosine")
AUGMENTATIONS = ("none", "flip", "crop+flip")
NORMALIZATIONS = ("per-pixel mean", "channel")
PRECISIONS = ("auto", "fp32", "bf16")
LARGEST_DEPTH = 1202  # the deepest network of the paper (section 4.2)
LARGEST_WIDTH = 256


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RequestError(f"{name} {value!r} is unknown: choose one of {', '.join(known)}")


def _between(name: str, value: Any, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"{name} is {value}: it must be a whole number from {low} to {high}")


class Config:
    """What all configs share: a canonical JSON form and the identity made from it."""

    def to_dict(self) -> dict[str, Any]:
        """Fields that differ from their defaults, as plain JSON values."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        defaults = {f.name: f.default for f in fields(self)}  # type: ignore[arg-type]
        return {
            name: value.to_dict() if isinstance(value, Config) else value
            for name, value in named.items()
            if value != defaults[name]
        }

    def to_json(self) -> str:
        """The canonical form: sorted keys, no spaces, defaults left out."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read `to_dict` back; an unknown field is refused, as it may change what the run means."""
        known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise RequestError(f"{cls.__name__} has no field {', '.join(unknown)}: written by a newer version?")
        return cls(**{name: _typed(known[name].type, value) for name, value in values.items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the canonical form back."""
        return cls.from_dict(json.loads(text))


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Config) and isinstance(value, dict):
        return kind.from_dict(value)
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class NetworkConfig(Config):
    """A network of section 4.2: a 3x3 stem, three stages of n blocks of two 3x3 layers, a linear head.

    The plain network is the same value with `shortcut="none"`: two things compared differ in one field.
    """

    depth: int = 20
    """Weighted layers, 6n+2."""
    shortcut: str = "A"
    """none (plain) · A identity, zeros padded · B projection where the shape changes · C projection everywhere."""
    width: int = 16
    """Channels of the stem and the first stage; the second and third have two and four times as many."""
    classes: int = 10

    def __post_init__(self) -> None:
        if not isinstance(self.depth, int) or (self.depth - 2) % 6 or not 8 <= self.depth <= LARGEST_DEPTH:
            raise RequestError(
                f"depth {self.depth} is not 6n+2 between 8 and {LARGEST_DEPTH}: {_nearest_depths(self.depth)}"
            )
        _one_of("shortcut", self.shortcut, SHORTCUTS)
        _between("width", self.width, 1, LARGEST_WIDTH)
        _between("classes", self.classes, 2, 1000)

    @property
    def blocks_per_stage(self) -> int:
        """The paper's n."""
        return (self.depth - 2) // 6

    @property
    def family(self) -> str:
        """plain or resnet."""
        return "plain" if self.shortcut == "none" else "resnet"

    @property
    def name(self) -> str:
        """The short name that people type; `network(name)` reads it back."""
        options = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)[2:] if getattr(self, f.name) != f.default]
        if self.shortcut in ("B", "C"):
            options.insert(0, f"shortcut={self.shortcut}")
        return f"{self.family}-{self.depth}" + (":" + ",".join(options) if options else "")

    @property
    def twin(self) -> "NetworkConfig":
        """The plain network for a residual one, the option-A network for a plain one."""
        return replace(self, shortcut="A" if self.shortcut == "none" else "none")


def network(name: str) -> NetworkConfig:
    """Read a network's name: `plain-20`, `resnet-56`, `resnet-56:shortcut=B,width=32`."""
    match = re.fullmatch(r"(plain|resnet)-(\d{1,6})(?::(.+))?", name.strip())
    if not match:
        raise RequestError(f"unknown network {name!r}: write plain-20, resnet-56 or resnet-56:shortcut=B,width=32")
    family, depth, options = match.groups()
    values: dict[str, Any] = {"depth": int(depth), "shortcut": "none" if family == "plain" else "A"}
    for option in (options or "").split(",") if options else []:
        key, _, value = option.partition("=")
        if key not in ("shortcut", "width", "classes") or not value:
            raise RequestError(f"unknown option {option!r} in {name!r}: known are shortcut=A|B|C, width=N, classes=N")
        if key == "shortcut" and family == "plain":
            raise RequestError(f"{name!r}: a plain network has no shortcut; write resnet-{depth} to have one")
        if key == "shortcut" and value == "none":
            raise RequestError(f"{name!r}: without shortcuts it is plain-{depth}")
        values[key] = value if key == "shortcut" else _integer(key, value)
    return NetworkConfig(**values)


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
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("augmentation", self.augmentation, AUGMENTATIONS)
        _one_of("normalization", self.normalization, NORMALIZATIONS)
        _one_of("precision", self.precision, PRECISIONS)
        _between("steps", self.steps, 1, 10_000_000)
        _between("batch_size", self.batch_size, 2, 65_536)
        _between("image_size", self.image_size, 8, 64)
        _between("evaluations", self.evaluations, 1, 10_000)
        _between("clean_images", self.clean_images, 1, 1_000_000)
        for name in ("learning_rate", "warm_up_rate"):
            if not 0 < getattr(self, name) <= 100:
                raise RequestError(f"{name} is {getattr(self, name)}: it must be above 0 and at most 100")
        for name in ("warm_up_steps", "train_images", "held_out", "test_images"):
            _between(name, getattr(self, name), 0, 10_000_000)
        for name in ("momentum", "weight_decay", "warm_up_until_error"):
            if not 0 <= getattr(self, name) < 1:
                raise RequestError(f"{name} is {getattr(self, name)}: it must be at least 0 and below 1")
        if self.warm_up_steps and self.warm_up_until_error:
            raise RequestError("warm_up_steps and warm_up_until_error exclude each other: choose one warm-up")
        if self.warm_up_steps >= self.steps:
            raise RequestError(f"warm_up_steps ({self.warm_up_steps}) must be fewer than steps ({self.steps})")


@dataclass(frozen=True)
class RunConfig(Config):
    """Everything that decides a run's numbers on one machine; its SHA-256 is the run's identity."""

    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    data: str = ""
    """`name@fingerprint` of the image set: the same pixels are the same data wherever they lie."""
    seed: int = 0

    def __post_init__(self) -> None:
        _between("seed", self.seed, 0, 2**31 - 1)

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
            raise RequestError(f"cannot set {assignment!r}: write key=value with one of {', '.join(kinds)}")
        values[key] = _parsed(key, kinds[key], text)
    return replace(config, **values)


def _parsed(key: str, kind: Any, text: str) -> Any:
    try:
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
        if kind is str:
            return text
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError:
        raise RequestError(f"{key} cannot be {text!r}: a number is needed") from None


def _nearest_depths(depth: Any) -> str:
    if not isinstance(depth, int):
        return "write a whole number"
    below = min(max(8, depth - (depth - 2) % 6), LARGEST_DEPTH)
    above = min(below + 6, LARGEST_DEPTH)
    return f"the nearest are {below} and {above}" if below != above else f"the nearest is {below}"


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RequestError(f"{name} cannot be {text!r}: a whole number is needed") from None
