"""What networks say about an image and which of its pixels counted: computed once for all visitors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer import jobs
from explorer.attribution.methods import METHODS
from explorer.records import Attribution
from explorer.runs import Run
from explorer.ui import resources

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet
    from explorer.measurement.deletion import Curves

Parameters = tuple[tuple[str, Any], ...]
"""A method's parameters, by name."""
_SHARED = 512  # images and maps kept: a map of 32×32 pixels takes 4 kB


@dataclass(frozen=True)
class Subject:
    """A trained network to explain: of a run, at its end or after some steps."""

    run: Run
    step: int | None = None

    @property
    def size(self) -> int:
        """The side of the images that it sees, in pixels."""
        return self.run.config.training.image_size


@dataclass(frozen=True)
class Request:
    """How one method is asked."""

    method: str
    baseline: str = "mean"
    parameters: Parameters = ()


_BY_IDENTITY: dict[str | type[Any], Callable[[Any], Any]] = {Subject: lambda one: (one.run.run, one.step)}


def seconds(subjects: list[Subject], requests: list[Request]) -> float:
    """About how long these maps take on two CPU cores, by the passes through the networks that they need."""
    passes = sum(METHODS[one.method].passes(dict(one.parameters)) for one in requests)
    nothing = jobs.measuring(subjects[0].run.config, 0, 0)  # the start of a process, which is not needed here
    return sum(jobs.measuring(one.run.config, 1, passes) - nothing for one in subjects)


def as_seen(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The picture (3, S, S) as a network of images of this size sees it, (3, size, size)."""
    import torch

    from explorer.data.augmentation import prepare

    seen: NDArray[np.uint8] = prepare(torch.from_numpy(pixels)[None], size)[0].numpy()
    return seen


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs=_BY_IDENTITY)
def classified(subject: Subject, name: str, count: int, _images: "ImageSet") -> NDArray[np.int64]:
    """The class that a network finds most probable for each of the first `count` test images."""
    from explorer.data.augmentation import prepare
    from explorer.evaluation import logits

    trained = resources.trained(subject.run, subject.step)
    pixels = prepare(_images.test_images[:count], subject.size)
    found: NDArray[np.int64] = logits(trained.network, pixels, trained.normalization).argmax(dim=1).numpy()
    return found


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
def explained(subject: Subject, pixels: NDArray[np.uint8], target: int, asked: Request) -> Attribution:
    """The map of one method for an image that is as large as the network sees them."""
    import torch

    from explorer.attribution.baselines import baseline
    from explorer.attribution.explain import attribute

    trained = resources.trained(subject.run, subject.step)
    image = torch.from_numpy(pixels)
    nothing = baseline(asked.baseline, image, trained.normalization)
    normalised = trained.normalization(image[None])[0]
    return attribute(trained.network, normalised, target, asked.method, nothing, **dict(asked.parameters))


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
