"""A race: networks of several depths and families under one recipe, trained from the same seeds."""

from dataclasses import dataclass

from explorer.config import NetworkConfig, RunConfig
from explorer.errors import RequestError
from explorer.language import tr
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
    also: tuple[NetworkConfig, ...] = ()
    """Further networks, trained alongside and drawn with the others; the verdict is not about them."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.families) - set(FAMILIES))
        if unknown:
            raise RequestError(
                tr("unknown family {family!r}: choose from {known}", family=unknown[0], known=", ".join(FAMILIES))
            )
        twice = [network.name for network in self.also if network in self._judged() or self.also.count(network) > 1]
        if twice:
            raise RequestError(tr("{network} is in the race already", network=twice[0]))
        for name in ("depths", "families", "seeds"):
            values = getattr(self, name)
            if not values:
                raise RequestError(tr("a race needs at least one of its {name}", name=name))
            if len(set(values)) < len(values):
                raise RequestError(
                    tr("the {name} of a race must differ: {values}", name=name, values=", ".join(map(str, values)))
                )

    @property
    def runs(self) -> list[RunConfig]:
        """Seed by seed; within a seed the deepest first, so that the longest does not begin last."""
        return [self._run(network, seed) for seed in self.seeds for network in (*self._judged(), *self.also)]

    def is_judged(self, network: NetworkConfig) -> bool:
        """Whether the verdict is about this network."""
        return network not in self.also

    def _judged(self) -> list[NetworkConfig]:
        return [
            NetworkConfig(depth, "none" if family == "plain" else "A", self.recipe.width)
            for depth in sorted(self.depths, reverse=True)
            for family in self.families
        ]

    def _run(self, network: NetworkConfig, seed: int) -> RunConfig:
        return RunConfig(network, self.recipe.training_for(network), self.data, seed)
