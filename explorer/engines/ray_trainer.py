"""What runs on a node of a Ray cluster: one training after the other, told to the driver as they go.

It sees neither the store nor a file of the driver's machine. Ray makes an actor of the class; nothing here imports it.
"""

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet
    from explorer.engines.stream import Event, Order

_PACKAGE = Path(__file__).resolve().parents[1]


class Trainer:
    """Trains on its share of a node: so many CPUs, and a GPU or a part of one if it was given any."""

    def __init__(self, cpus: float, gpus: float) -> None:
        if not gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch looks: what was not asked for is somebody else's
        self.threads = max(1, int(cpus))
        self._leave = threading.Event()

    def source(self) -> str:
        """Which code trains here; torch is loaded when this returns."""
        from explorer.engines import stream  # noqa: F401

        return source()

    def look_at(self, images: "ImageSet") -> None:
        """Take the images that all trainings are on from now on: 200 MB, which would take longer than a short run."""
        self._images = images

    def train(self, order: "Order") -> "Iterator[Event]":
        """One training, from where it was left."""
        from explorer import device as devices
        from explorer.engines.stream import stream

        self._leave.clear()
        devices.make_repeatable(self.threads)
        machine = replace(devices.device(), threads=self.threads)
        yield from stream(order, self._images, machine, self._leave.is_set)

    def leave(self) -> None:
        """End the training under way after this step, its state kept."""
        self._leave.set()


def source() -> str:
    """The SHA-256 of this program's code: nodes with another version would not give the same numbers."""
    digest = hashlib.sha256()
    for file in sorted(_PACKAGE.rglob("*.py")):
        digest.update(str(file.relative_to(_PACKAGE)).encode() + file.read_bytes())
    return digest.hexdigest()
