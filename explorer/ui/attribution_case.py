"""One image before networks: what each says of it, and the maps that are wanted of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from explorer.attribution.methods import METHODS
from explorer.language import told, tr
from explorer.network_config import short_names
from explorer.plots.attribution_files import Comparison
from explorer.plots.attributions import Column, Row
from explorer.records import Attribution
from explorer.ui.attribution_download import configuration
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Subject, Wanted, as_seen, probabilities, question_of
from explorer.ui.attribution_question import Question


@dataclass(frozen=True)
class Case:
    """An image, networks, and a question about it."""

    chosen: Chosen
    subjects: Sequence[Subject]
    asked: Question
    classes: Sequence[str]
    seen: dict[int, NDArray[np.uint8]]
    """The image by the size that networks see."""
    heads: list[Column]
    """What the networks say, still without maps."""
    wanted: list[list[Wanted]]
    """The maps of each network."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """As the first network sees it, (3, H, W)."""
        return self.seen[self.subjects[0].size]

    @property
    def question(self) -> int:
        """What tells these maps from those of other images, networks or questions."""
        return question_of(self.wanted)

    @property
    def rows(self) -> list[Row]:
        """One a method."""
        methods = {one.method: METHODS[one.method] for one in self.asked.requests}
        return [Row(name, method.label, told(method.explanation)) for name, method in methods.items()]

    def columns(self, found: Sequence[Sequence[Attribution]]) -> list[Column]:
        """The networks with the maps that are there."""
        return [replace(head, maps=maps) for head, maps in zip(self.heads, found, strict=True)]

    def comparison(self, found: Sequence[Sequence[Attribution]]) -> Comparison:
        """What is taken along."""
        columns, label = self.columns(found), self.chosen.label
        made = configuration(self.subjects, columns, self.chosen, self.asked.requests)
        return Comparison(
            self.image, columns, self.rows, self.classes, made, self.classes[label] if label is not None else ""
        )


def case(chosen: Chosen, subjects: Sequence[Subject], asked: Question, classes: Sequence[str]) -> Case:
    """The networks' answers, at once, and what is to be explained."""
    seen = {one.size: as_seen(chosen.pixels, one.size) for one in subjects}
    names = short_names(one.run.config.network for one in subjects)
    heads, wanted = [], []
    for one in subjects:
        pixels, name = seen[one.size], names[one.run.config.network]
        said = probabilities(one, pixels)
        predicted = int(said.argmax())
        right = None if chosen.label is None else predicted == chosen.label
        label = name if one.step is None else tr("{name} after {steps:,} steps", name=name, steps=one.step)
        heads.append(Column(one.run.config.network, label, classes[predicted], float(said[predicted]), [], right))
        target = predicted if asked.target is None else asked.target
        wanted.append([Wanted(one, pixels, target, request) for request in asked.requests])
    return Case(chosen, subjects, asked, classes, seen, heads, wanted)
