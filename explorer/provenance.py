"""Where a number that is made here and now comes from."""

from datetime import UTC, datetime

from explorer import device as devices
from explorer.records import Provenance


def now() -> str:
    """ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def made_here(data: str, precision: str, *, origin: str = "live", seconds: float = 0.0) -> Provenance:
    """By this machine, at this moment, from the images that `data` describes."""
    return Provenance(origin, devices.device().description, precision, now(), devices.versions(), data, seconds)
