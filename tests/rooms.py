"""What the tests of rooms share."""

from explorer.room import Rooms
from explorer.shown import Experiment

HOURS = 3600.0
SHARED = Experiment(
    "brief", "shapes@000000000000", "shapes", ("plain-8:width=4", "resnet-8:width=4"), "dropout", ("0", "0.5"), 2
)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def code(house: Rooms, signed: str) -> str:
    return house.look(signed).code


def joined(house: Rooms, presenter: str, count: int = 1) -> list[str]:
    return [house.join(code(house, presenter), f"session {i}", "10.0.0.1") for i in range(count)]
