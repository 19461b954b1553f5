"""What an attribution method is: how it is told, what a person may set, what it costs, and the question it answers.

No torch and no captum here, so that a page can offer the methods before either is loaded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from explorer.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor

DIFFERENCE, SCORE = "difference", "score"
"""What a map may promise to sum to: the score less the baseline's, or the whole score."""


@dataclass(frozen=True)
class Question:
    """Which pixels of each of N images counted for a class?"""

    images: "Tensor"
    """(N, 3, H, W) float32, normalised; requires gradients."""
    targets: "Tensor"
    """(N,) int64, the class of each image."""
    baselines: "Tensor"
    """(N, 3, H, W) float32, normalised: what stands for 'nothing there'."""


@dataclass(frozen=True)
class Parameter:
    """What a person may set: a number from `low` to `high`, or one of `choices`."""

    default: int | float | str
    description: str
    """To be `told`."""
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: Any) -> Any:
        """The value in the default's type; RequestError if it is none or outside the limits."""
        if self.choices:
            if value not in self.choices:
                raise RequestError(
                    f"{name} {value!r} is unknown: choose one of {', '.join(filter(None, self.choices))}"
                )
            return value
        kinds = (int,) if isinstance(self.default, int) else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not self.low <= value <= self.high:
            number = "a whole number" if isinstance(self.default, int) else "a number"
            raise RequestError(f"{name} is {value}: it must be {number} from {self.low:g} to {self.high:g}")
        return type(self.default)(value)


@dataclass(frozen=True)
class Method:
    """One way to ask which pixels counted."""

    label: str
    explanation: str
    """One line for students, to be `told`."""
    signed: bool
    """Whether negative values are possible, and mean 'against the class'."""
    run: Callable[..., "Tensor"]
    """A private copy of the network, a Question and the parameters to a map (N, C, h, w)."""
    cost: Callable[..., float]
    """The parameters to passes through the network for an image, about: forward and backward count as three."""
    sums_to: str = ""
    """What the map promises to sum to: `DIFFERENCE`, `SCORE` or nothing."""
    draws: bool = False
    """Whether it draws random numbers; then images are explained one at a time, each from the same seed."""
    uses_baseline: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def read(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters: those given, checked, and defaults for the others. RequestError for what is none."""
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            known = ", ".join(self.parameters) or "none"
            raise RequestError(f"{name} has no parameter {', '.join(unknown)}: it has {known}")
        return {key: known.read(key, given.get(key, known.default)) for key, known in self.parameters.items()}

    def passes(self, parameters: Mapping[str, Any]) -> float:
        """What an image costs with these parameters, in forward passes through the network."""
        defaults = {key: known.default for key, known in self.parameters.items()}
        return float(self.cost(**{**defaults, **parameters}))
