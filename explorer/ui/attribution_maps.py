"""What networks say about an image and which of its pixels counted: computed once for all visitors."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer import jobs
from explorer.attribution.methods import IMAGES_PER_PASS, METHODS
from explorer.engines.errands import WHEN_IDLE, Errand
from explorer.records import Attribution
from explorer.runs import Run
from explorer.ui import membership, resources

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet
    from explorer.measurement.deletion import Curves

Parameters = tuple[tuple[str, Any], ...]
"""A method's parameters, by name."""
LOOK = 100
"""So many test images are classified at a time."""
_LOOK_SECONDS = 0.5
_SHARED = 512  # images and curves kept


@dataclass(frozen=True)
class Subject:
    """A trained network to explain: of a run, at its end or after some steps."""

    run: Run
    step: int | None = None

    @property
    def size(self) -> int:
        """The side of the images that it sees, in pixels."""
        return self.run.config.training.image_size

    @property
    def identity(self) -> tuple[str, int | None]:
        """What tells it from others."""
        return self.run.run, self.step


@dataclass(frozen=True)
class Request:
    """How one method is asked."""

    method: str
    baseline: str = "mean"
    parameters: Parameters = ()


@dataclass(frozen=True)
class Wanted:
    """One map: of an image that is as large as the network sees it, (3, H, W), for a class."""

    subject: Subject
    pixels: NDArray[np.uint8]
    target: int
    request: Request

    @property
    def key(self) -> Hashable:
        """What tells it from others."""
        return "map", *self.subject.identity, self.pixels.tobytes(), self.target, self.request

    def ask(self) -> Errand:
        """Have it made, unless it is there or being made."""
        took = seconds([self.subject], [self.request])
        return resources.errands().ask(self.key, self._made, took, membership.visit())

    def _made(self, errand: Errand) -> Attribution:
        import torch

        from explorer.attribution.baselines import baseline
        from explorer.attribution.explain import attribute

        trained, asked = resources.trained(self.subject.run, self.subject.step), self.request
        image = torch.from_numpy(self.pixels)
        nothing = baseline(asked.baseline, image, trained.normalization)
        normalised = trained.normalization(image[None])[0]
        return attribute(
            trained.network, normalised, self.target, asked.method, nothing, errand.note, **dict(asked.parameters)
        )


def question_of(wanted: Sequence[Sequence[Wanted]]) -> int:
    """What tells these maps from others."""
    return hash(tuple(one.key for row in wanted for one in row))


_BY_IDENTITY: dict[str | type[Any], Callable[[Any], Any]] = {Subject: lambda one: one.identity}


def seconds(subjects: list[Subject], requests: list[Request]) -> float:
    """About how long these maps take on a page's server, by the passes through the networks that they need."""
    return sum(
        map_seconds(subject, METHODS[one.method].passes(dict(one.parameters)))
        for subject in subjects
        for one in requests
    )


def map_seconds(subject: Subject, passes: float) -> float:
    """About how long a map of one image takes that needs so many passes."""
    batch = IMAGES_PER_PASS if passes >= IMAGES_PER_PASS else 1
    return jobs.passing(subject.run.config, passes / batch, batch)


def as_seen(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The picture (3, S, S) as a network of images of this size sees it, (3, size, size)."""
    import torch

    from explorer.data.augmentation import prepare

    seen: NDArray[np.uint8] = prepare(torch.from_numpy(pixels)[None], size)[0].numpy()
    return seen


def looking(subject: Subject, images: "ImageSet", start: int) -> Errand:
    """The classes that a network finds most probable for `LOOK` test images from `start`: (LOOK,) int64 in the end.

    The first are wanted at once, the others when nothing else is to be done.
    """

    def looked(_errand: Errand) -> NDArray[np.int64]:
        from explorer.data.augmentation import prepare
        from explorer.evaluation import logits

        trained = resources.trained(subject.run, subject.step)
        pixels = prepare(images.test_images[start : start + LOOK], subject.size)
        found: NDArray[np.int64] = logits(trained.network, pixels, trained.normalization).argmax(dim=1).numpy()
        return found

    key = ("classes", *subject.identity, images.name, start)
    return resources.errands().ask(key, looked, WHEN_IDLE if start else _LOOK_SECONDS, membership.visit())


@st.cache_data(max_entries=_SHARED, show_spinner=False, hash_funcs=_BY_IDENTITY)
def probabilities(subject: Subject, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the network says about an image that is as large as it sees them: (classes,), summing to 1."""
    import torch

    from explorer.evaluation import logits

    trained = resources.trained(subject.run, subject.step)
    outputs = logits(trained.network, torch.from_numpy(pixels)[None], trained.normalization)
    found: NDArray[np.float32] = outputs.softmax(dim=1)[0].numpy()
    return found


@st.cache_data(max_entries=_SHARED, show_spinner=False, hash_funcs=_BY_IDENTITY)
def curves(subject: Subject, pixels: NDArray[np.uint8], target: int, values: NDArray[np.float32]) -> "Curves":
    """The class's probability while a map's pixels are taken away and put in, the most important first."""
    import copy

    import torch

    from explorer.measurement.deletion import deletion_and_insertion

    trained = resources.trained(subject.run, subject.step)
    image = trained.normalization(torch.from_numpy(pixels)[None])[0]
    network = copy.deepcopy(trained.network).eval()  # another visitor may be explaining it
    return deletion_and_insertion(network, image, torch.zeros_like(image), target, values)
