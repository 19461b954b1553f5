"""Measurements that one look at a trained network answers, one table: each is a command, `measure NAME RUN …`.

Whoever adds one writes a module beside this one, with a function from a network and images to records, and an entry
here. No torch here before something is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from explorer.records import ChannelSpread


@dataclass(frozen=True)
class Measurement:
    """One question to a trained network."""

    question: str
    """For --help."""
    measure: Callable[..., Sequence[Any]]
    """The network, and where it looks at images these, normalised (N, 3, H, W), to records: frozen dataclasses of names
    and numbers."""
    images: int = 0
    """How many test images it looks at, N; 0 where the weights say it all."""


def _channels(network: "nn.Module") -> "tuple[ChannelSpread, ...]":
    from explorer.measurement.channels import channel_spreads

    return channel_spreads(network)


MEASUREMENTS: dict[str, Measurement] = {
    "channels": Measurement("how much the channels of each layer differ (from gamma)", _channels),
}
