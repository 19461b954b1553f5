"""The panel of attributions: one image, two networks, a gallery to choose the image from."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.attribution.methods import METHODS
from explorer.errors import RequestError
from explorer.language import later, told, tr
from explorer.network_config import short_names
from explorer.plots import theme
from explorer.plots.attribution_files import Comparison
from explorer.plots.attributions import Column, Row, alternative_text, side_by_side
from explorer.runs import Run
from explorer.ui import attribution_images, attribution_question, controls, frame, resources, sitemap, trust
from explorer.ui.attribution_answer import Found, answer
from explorer.ui.attribution_download import configuration, downloads
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Subject, Wanted, as_seen, probabilities
from explorer.ui.attribution_question import Places, Question, question
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import latest_race, shared

_WIDTHS = 640, 360  # of the figure in pixels, on a desk and on a phone
_PLACES = {
    "first": ("plain", later("First network")),
    "second": ("resnet", later("Second network")),
    "third": ("resnet", later("Third network")),
}
_AFTER = {
    "first": later("First network after … steps"),
    "second": later("Second network after … steps"),
    "third": later("Third network after … steps"),
}
_THIRD = "attributions-three"
_ORDER = """<style>@media (max-width: 640px) {
    .st-key-attributions-halves [data-testid="stColumn"]:has(.st-key-attributions-rail) { order: 2; }
}</style>"""  # on a phone the answer comes before the gallery


def panel() -> None:
    """Networks above, gallery left, maps right."""
    catalogue = resources.catalogue()
    choices = [run for run in catalogue.runs() if catalogue.has_weights(run.run)]
    if not choices:
        st.info(tr("No network has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some: Degradation"))
        return
    runs = _networks(choices)
    places = attribution_question.places()
    with places.settings:
        subjects = [_at_a_step(run, place) for run, place in zip(runs, _PLACES, strict=False)]
    st.html(_ORDER)
    with st.container(key="attributions-halves"):
        rail, maps = st.columns([2, 5], gap="medium")
    chosen = None
    with rail, st.container(key="attributions-rail"), frame.errors_in_place():
        chosen = attribution_images.image(subjects)
    with maps, st.spinner(tr("Explaining …")):
        if chosen is not None:
            _maps(chosen, subjects, places)


def _networks(choices: Sequence[Run]) -> list[Run]:
    """Two networks, or three after a press on +."""
    three = bool(st.session_state.get(_THIRD))
    places = list(_PLACES)[: 3 if three else 2]
    *columns, last = st.columns([*[6] * len(places), 1], vertical_alignment="bottom")
    found: list[Run] = []
    for column, place in zip(columns, places, strict=True):
        family, label = _PLACES[place]
        with column:
            usual = _deepest([run for run in choices if run not in found] or choices, family)
            found.append(controls.one_run(told(label), choices, usual, key=f"attributions-{place}"))
    icon, help = (":material/close:", tr("Two networks")) if three else (":material/add:", tr("A third network"))
    if last.button("", icon=icon, help=help, key="attributions-more", width="stretch"):
        st.session_state[_THIRD] = not three
        st.rerun()
    return found


def _at_a_step(run: Run, place: str) -> Subject:
    """The network at the end of its training, or at a step at which it was kept on the way."""
    kept, last = resources.catalogue().kept_steps(run.run), run.config.training.steps
    if not kept:
        return Subject(run)
    chosen = st.select_slider(
        told(_AFTER[place]),
        [*kept, last],
        last,
        format_func=lambda step: f"{step:,}",
        key=f"attributions-{place}-{run.run}-step",
    )
    return Subject(run, None if chosen == last else int(chosen))


def _deepest(choices: Sequence[Run], family: str) -> Run:
    """The deepest network of a family in the newest race whose images are at hand."""
    race = latest_race([run for run in choices if resources.has_images(run)] or choices)
    found = [run for run in race if run.config.network.family == family] or race
    return max(found, key=lambda run: run.config.network.depth)


def _maps(chosen: Chosen, subjects: Sequence[Subject], places: Places) -> None:
    classes = _classes(subjects[0].run)
    asked = question(places, subjects, classes, chosen.label)
    if not asked.requests:
        st.info(tr("Choose at least one method."), icon=":material/info:")
        return
    with frame.errors_in_place():
        seen = {one.size: as_seen(chosen.pixels, one.size) for one in subjects}
        names = short_names(one.run.config.network for one in subjects)
        heads = [_head(one, seen[one.size], chosen, classes, names[one.run.config.network]) for one in subjects]
        _finding(heads, chosen, subjects, classes)
        wanted = [
            [Wanted(one, seen[one.size], _target(asked, said), request) for request in asked.requests]
            for one, (_, said) in zip(subjects, heads, strict=True)
        ]
        image = seen[subjects[0].size]
        found = answer(wanted, partial(_draw, image, [head for head, _ in heads], _rows(asked), classes, asked))
        if found is not None:
            columns = [replace(head, maps=maps) for (head, _), maps in zip(heads, found, strict=True)]
            made = configuration(subjects, columns, chosen, asked.requests)
            downloads(Comparison(image, columns, _rows(asked), classes, made))
            trust.panel(subjects, columns, seen, [one.method for one in asked.requests])


def _draw(
    image: NDArray[np.uint8],
    heads: Sequence[Column],
    rows: Sequence[Row],
    classes: Sequence[str],
    asked: Question,
    found: Found,
) -> None:
    columns = [replace(head, maps=maps) for head, maps in zip(heads, found, strict=True)]
    wide, narrow = (
        side_by_side(image, columns, rows, classes, opacity=asked.opacity, grids=asked.grids, width=width)
        for width in _WIDTHS
    )
    alt = alternative_text(columns, rows, classes)
    live_plot(wide, key="attributions-maps", height=wide.layout.height, alt=alt, narrow=theme.rearranged(narrow))


def _finding(
    heads: Sequence[tuple[Column, int]], chosen: Chosen, subjects: Sequence[Subject], classes: Sequence[str]
) -> None:
    """What the image is, what each network says, and how to read the colours."""
    truth = tr("It is: **{name}**.", name=classes[chosen.label]) + " " if chosen.label is not None else ""
    said = ", ".join(
        tr("{network} says **{predicted}**", network=column.label, predicted=column.predicted) for column, _ in heads
    )
    scale = tr("One colour scale a row, shared by all networks; white is zero.")
    frame.finding([f"{truth}{said}."], f"{scale} {shared([one.run for one in subjects])}".rstrip())


def _head(
    subject: Subject, pixels: NDArray[np.uint8], chosen: Chosen, classes: Sequence[str], name: str
) -> tuple[Column, int]:
    """The network and what it says, still without maps; the class that it says."""
    said = probabilities(subject, pixels)
    predicted = int(said.argmax())
    right = None if chosen.label is None else predicted == chosen.label
    label = name if subject.step is None else tr("{name} after {steps:,} steps", name=name, steps=subject.step)
    return Column(subject.run.config.network, label, classes[predicted], float(said[predicted]), [], right), predicted


def _target(asked: Question, predicted: int) -> int:
    return predicted if asked.target is None else asked.target


def _rows(asked: Question) -> list[Row]:
    methods = {one.method: METHODS[one.method] for one in asked.requests}
    return [Row(name, method.label, told(method.explanation)) for name, method in methods.items()]


def _classes(run: Run) -> tuple[str, ...]:
    """Names of the classes; numbers where the images that name them are not here."""
    try:
        return resources.images_of(run).classes
    except RequestError:
        return tuple(map(str, range(run.config.network.classes)))
