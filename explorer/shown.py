"""What the presenter of a room shows to all: a step, a question, trainings, or an experiment to share."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from explorer.config import RunConfig, network
from explorer.errors import RequestError
from explorer.language import tr
from explorer.recipes import RECIPES
from explorer.sweep import Sweep, factor

CODE, LESSON, POLL, EXPERIMENT, RUNS = KINDS = ("code", "lesson", "poll", "experiment", "runs")
MOST_CELLS = 60
_MOST_NAMES = 10
_NAME = re.compile(r"[\w.:=,-]{1,64}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether a text can be the name of a step, an answer, a run: short, of letters that mean nothing elsewhere."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True)
class Shown:
    """The one thing that the presenter shows to all."""

    kind: str = CODE
    name: str = ""
    """Of the lesson's step, of the question; of runs their identities."""
    screen: str = ""
    """Of the step."""

    def __post_init__(self) -> None:
        names = [*self.name.split(), *self.screen.split()]
        if self.kind not in KINDS or len(names) > _MOST_NAMES or not all(map(is_name, names)):
            raise RequestError(tr("nothing in a room is called that"))

    def to_json(self) -> str:
        """As a room keeps it."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Shown":
        """What `to_json` wrote."""
        return Shown(**json.loads(text))


@dataclass(frozen=True)
class Experiment:
    """A sweep that a room shares out: its cells are the runs of that sweep."""

    recipe: str
    data: str
    location: str
    """Where these images lie on this machine."""
    networks: tuple[str, ...]
    factor: str
    values: tuple[str, ...]
    """Of the factor, as one types them."""
    seeds: int

    def __post_init__(self) -> None:
        cells = len(self.networks) * len(self.values) * self.seeds
        if not 0 < cells <= MOST_CELLS:
            raise RequestError(tr("an experiment has 1 to {most} trainings, not {count}", most=MOST_CELLS, count=cells))
        if len({config.run for config in self.sweep.runs}) < cells:  # which refuses a network that cannot have a value
            raise RequestError(tr("some of these trainings are the same: choose networks that differ otherwise"))

    def to_json(self) -> str:
        """As a room keeps it."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Experiment":
        """What `to_json` wrote."""
        said: dict[str, Any] = json.loads(text)
        return Experiment(**said | {"networks": tuple(said["networks"]), "values": tuple(said["values"])})

    @property
    def sweep(self) -> Sweep:
        """The same as a sweep."""
        if self.recipe not in RECIPES:
            raise RequestError(tr("nothing in a room is called that"))
        changed = factor(self.factor)
        return Sweep(
            RECIPES[self.recipe],
            self.data,
            tuple(map(network, self.networks)),
            changed,
            tuple(map(changed.read, self.values)),
            tuple(range(self.seeds)),
        )

    def cells(self, network: int, value: int) -> list[RunConfig]:
        """The runs of one network at one value, seed by seed, both by their place."""
        if not (0 <= network < len(self.networks) and 0 <= value < len(self.values)):
            raise RequestError(tr("this experiment has no such training"))
        return self.sweep.runs[value * len(self.networks) + network :: len(self.networks) * len(self.values)]
