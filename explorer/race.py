"""A race: networks of several depths and families under one recipe, trained from the same seeds."""

from dataclasses import dataclass, replace

from explorer.config import NetworkConfig, RunConfig
from explorer.errors import RequestError
from explorer.recipes import Recipe

FAMILIES = ("plain", "resnet")


@dataclass(frozen=True)
class Race:
    """What is compared; `runs` are the trainings it consists of."""

    recipe: Recipe
    data: str
    depths: tuple[int, ...]
    families: tuple[str, ...] = FAMILIES
    seeds: tuple[int, ...] = (0,)
    network: NetworkConfig = NetworkConfig()
    """Width, shortcut option and classes of all of them."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.families) - set(FAMILIES))
        if unknown:
            raise RequestError(f"unknown family {unknown[0]!r}: choose from {', '.join(FAMILIES)}")
        for name in ("depths", "families", "seeds"):
            values = getattr(self, name)
            if not values:
                raise RequestError(f"a race needs at least one of its {name}")
            if len(set(values)) < len(values):
                raise RequestError(f"the {name} of a race must differ: {', '.join(map(str, values))}")

    @property
    def runs(self) -> list[RunConfig]:
        """Seed by seed; within a seed the deepest first, so that the longest does not begin last."""
        return [
            self._run(depth, family, seed)
            for seed in self.seeds
            for depth in sorted(self.depths, reverse=True)
            for family in self.families
        ]

    def _run(self, depth: int, family: str, seed: int) -> RunConfig:
        shortcut = "none" if family == "plain" else self.network.shortcut
        network = replace(self.network, depth=depth, shortcut=shortcut)
        return RunConfig(network, self.recipe.training_for(network), self.data, seed)
