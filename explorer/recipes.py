"""Named recipes: how a network is trained, and the pair of depths that shows something under it."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.config import NetworkConfig, TrainingConfig
from explorer.errors import RequestError
from explorer.language import later, tr

_EVALUATIONS = 12  # at least; each on the whole test set, which takes as long as some eighty steps


@dataclass(frozen=True)
class Recipe:
    """A way of training, with the depths it was made for."""

    name: str
    label: str
    """For a control."""
    explanation: str
    """One sentence: what it shows and what it does not."""
    training: TrainingConfig
    depths: tuple[int, int]
    width: int = 16
    """Of the networks that race under it; the paper's is 16."""

    def training_for(self, network: NetworkConfig) -> TrainingConfig:
        """The recipe as it applies to one network."""
        if self.name == "paper" and network.depth == 110:
            # "0.1 is slightly too large to start converging", section 4.2; for 110 layers only.
            return replace(self.training, warm_up_until_error=0.8)
        return self.training


# Found by measurement on two CPU cores (docs/brief-recipe.md): few images, often seen, and narrow networks let depth
# show in seconds. The warm-up is what the residual half of the picture needs; the paper itself warms up at 110 layers
# only, so this is a deviation, and said to be one.
BRIEF = TrainingConfig(
    steps=600,
    batch_size=32,
    learning_rate=0.05,
    schedule="cosine",
    warm_up_steps=120,
    augmentation="flip",
    image_size=16,
    train_images=1000,
    test_images=1000,
    evaluations=4,
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "brief",
            later("Brief"),
            later(
                "1,000 images at 16×16 pixels, 600 steps, networks of half the paper's width: shows which are harder "
                "to optimise, not yet which end up worse."
            ),
            BRIEF,
            depths=(8, 32),
            width=8,
        ),
        Recipe(
            "longer",
            later("Longer"),
            later("5,000 images at 16×16 pixels, 3,000 steps, networks of the paper's width."),
            replace(BRIEF, steps=3000, warm_up_steps=600, train_images=5000, test_images=2000, evaluations=10),
            depths=(8, 32),
        ),
        Recipe(
            "paper",
            later("The paper's"),
            later(
                "Section 4.2: 64,000 steps of 128 images, learning rate 0.1 divided by 10 at 32,000 and 48,000. "
                "Hours on a GPU, days on a CPU."
            ),
            TrainingConfig(),
            depths=(20, 56),
        ),
    )
}


def in_steps(steps: int) -> TrainingConfig:
    """The paper's recipe for CIFAR-10 with its schedule scaled to so many steps."""
    whole = RECIPES["paper"].training
    milestones = tuple(milestone * steps // whole.steps for milestone in whole.milestones)
    evaluations = max(_EVALUATIONS, whole.evaluations * steps // whole.steps)
    return replace(whole, steps=steps, milestones=milestones, evaluations=evaluations)


def is_papers(training: TrainingConfig) -> bool:
    """Whether it is the paper's recipe for CIFAR-10, but for the number of its steps."""
    return replace(training, warm_up_until_error=0.0) == in_steps(training.steps)


def recipe(name: str) -> Recipe:
    """A recipe by its name, or from a TOML file whose keys are fields of `TrainingConfig` (and `depths`, `width`)."""
    if name in RECIPES:
        return RECIPES[name]
    if not name.endswith(".toml"):
        raise RequestError(
            tr(
                "unknown recipe {name!r}: known are {known}, or the path of a .toml file",
                name=name,
                known=", ".join(RECIPES),
            )  # fmt: skip
        )
    try:
        values = tomllib.loads(Path(name).read_text(encoding="utf-8"))
        depths, width = values.pop("depths", [20, 56]), values.pop("width", 16)
        training = TrainingConfig.from_dict(values)
    except OSError as error:
        raise RequestError(tr("cannot read recipe {name}: {reason}", name=name, reason=error.strerror)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(tr("recipe {name} is not TOML: {reason}", name=name, reason=error)) from None
    if not (isinstance(depths, list) and len(depths) == 2 and all(type(depth) is int for depth in depths)):
        raise RequestError(tr("recipe {name}: depths must be two numbers, as in depths = [20, 56]", name=name))
    if type(width) is not int:
        raise RequestError(tr("recipe {name}: width must be a whole number", name=name))
    return Recipe(Path(name).stem, Path(name).stem, f"From {name}.", training, (depths[0], depths[1]), width)
