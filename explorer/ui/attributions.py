"""The panel of attributions: one image, two networks, a gallery to choose the image from."""

from collections.abc import Sequence

import streamlit as st

from explorer.attribution.methods import METHODS
from explorer.errors import RequestError
from explorer.language import later, told, tr
from explorer.network_config import short_names
from explorer.plots import theme
from explorer.plots.attribution_files import Comparison
from explorer.plots.attributions import Column, Row, alternative_text, side_by_side
from explorer.runs import Run
from explorer.ui import attribution_images, attribution_question, controls, frame, resources, sitemap, trust
from explorer.ui.attribution_download import configuration, downloads
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Subject, as_seen, explained, probabilities
from explorer.ui.attribution_question import Places, Question, question
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import latest_race, shared

_WIDTHS = 640, 360  # of the figure in pixels, on a desk and on a phone
_PLACES = {"first": ("plain", later("First network")), "second": ("resnet", later("Second network"))}
_AFTER = {"first": later("First network after … steps"), "second": later("Second network after … steps")}
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
        subjects = [_at_a_step(run, place) for run, place in zip(runs, _PLACES, strict=True)]
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
    found = []
    for column, (place, (family, label)) in zip(st.columns(2), _PLACES.items(), strict=True):
        with column:
            found.append(controls.one_run(told(label), choices, _deepest(choices, family), key=f"attributions-{place}"))
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
    runs = [subject.run for subject in subjects]
    classes = _classes(runs[0])
    asked = question(places, subjects, classes, chosen.label)
    if not asked.requests:
        st.info(tr("Choose at least one method."), icon=":material/info:")
        return
    with frame.errors_in_place():
        names = short_names(run.config.network for run in runs)
        columns = [_column(one, chosen, asked, classes, names[one.run.config.network]) for one in subjects]
        labels = [METHODS[one.method] for one in asked.requests]
        rows = [
            Row(one.method, method.label, told(method.explanation))
            for one, method in zip(asked.requests, labels, strict=True)
        ]
        truth = tr("It is: **{name}**.", name=classes[chosen.label]) + " " if chosen.label is not None else ""
        said = ", ".join(
            tr("{network} says **{predicted}**", network=column.label, predicted=column.predicted) for column in columns
        )
        scale = tr("One colour scale a row, shared by both networks; white is zero.")
        basis = f"{scale} {shared(runs)}".rstrip()
        frame.finding([f"{truth}{said}."], basis)
        image = as_seen(chosen.pixels, subjects[0].size)
        wide, narrow = (
            side_by_side(image, columns, rows, classes, opacity=asked.opacity, grids=asked.grids, width=width)
            for width in _WIDTHS
        )
        alt = alternative_text(columns, rows, classes)
        live_plot(wide, key="attributions-maps", height=wide.layout.height, alt=alt, narrow=theme.rearranged(narrow))
        made = configuration(subjects, columns, chosen, asked.requests)
        downloads(Comparison(image, columns, rows, classes, made))
        seen = {one.size: as_seen(chosen.pixels, one.size) for one in subjects}
        trust.panel(subjects, columns, seen, [one.method for one in asked.requests])


def _column(subject: Subject, chosen: Chosen, asked: Question, classes: Sequence[str], name: str) -> Column:
    pixels = as_seen(chosen.pixels, subject.size)
    said = probabilities(subject, pixels)
    predicted = int(said.argmax())
    target = predicted if asked.target is None else asked.target
    maps = [explained(subject, pixels, target, one) for one in asked.requests]
    right = None if chosen.label is None else predicted == chosen.label
    label = name if subject.step is None else tr("{name} after {steps:,} steps", name=name, steps=subject.step)
    return Column(subject.run.config.network, label, classes[predicted], float(said[predicted]), maps, right)


def _classes(run: Run) -> tuple[str, ...]:
    """Names of the classes; numbers where the images that name them are not here."""
    try:
        return resources.images_of(run).classes
    except RequestError:
        return tuple(map(str, range(run.config.network.classes)))
