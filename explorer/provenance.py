"""Where a number that is made here and now comes from."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from explorer import device as devices
from explorer.records import Provenance


def now() -> str:
    """ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def made_here(data: str, precision: str, *, origin: str = "live", seconds: float = 0.0) -> Provenance:
    """By this machine, at this moment, from the images that `data` describes."""
    return Provenance(origin, devices.device().description, precision, now(), devices.versions(), data, seconds)


def computed_here(data: str, precision: str, packages: Sequence[str], *, seconds: float = 0.0) -> Provenance:
    """By this machine's processor with these packages, without torch."""
    versions = {"python": platform.python_version(), **{name: version(name) for name in packages}}
    return Provenance("live", devices.processor(), precision, now(), versions, data, seconds)
