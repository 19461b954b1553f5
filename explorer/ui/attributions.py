"""The panel of attributions: one image, two networks, a gallery to choose the image from."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.errors import RequestError
from explorer.language import language, later, told, tr
from explorer.plots import theme
from explorer.plots.attributions import alternative_text, side_by_side
from explorer.runs import Run
from explorer.ui import (
    address,
    attribution_images,
    attribution_question,
    attribution_slide,
    controls,
    frame,
    reading,
    resources,
    sitemap,
    trust,
)
from explorer.ui.attribution_answer import Found, answer
from explorer.ui.attribution_case import Case, case
from explorer.ui.attribution_download import downloads
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Subject
from explorer.ui.attribution_question import Places, question
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
_COUNT = "attributions-networks"
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
    with maps:
        if chosen is not None:
            _maps(chosen, subjects, places)


def _networks(choices: Sequence[Run]) -> list[Run]:
    """Two networks, or three after a press on +."""
    address.recall(_COUNT, 2, (2, 3))
    three = st.session_state[_COUNT] == 3
    address.remember(_COUNT, 2)
    places = list(_PLACES)[: st.session_state[_COUNT]]
    *columns, last = st.columns([*[6] * len(places), 1], vertical_alignment="bottom")
    found: list[Run] = []
    for column, place in zip(columns, places, strict=True):
        family, label = _PLACES[place]
        with column:
            others = [run for run in choices if run not in found and (not found or _same_images(run, found[0]))]
            usual = _deepest(others or choices, family)
            found.append(controls.one_run(told(label), choices, usual, key=f"attributions-{place}"))
    icon, help = (":material/close:", tr("Two networks")) if three else (":material/add:", tr("A third network"))
    if last.button("", icon=icon, help=help, key="attributions-more", width="stretch"):
        st.session_state[_COUNT] = 2 if three else 3
        st.query_params.pop("attributions-third", None)
        st.rerun()
    return found


def _same_images(first: Run, second: Run) -> bool:
    return resources.kind(first.config.data) == resources.kind(second.config.data)


def _at_a_step(run: Run, place: str) -> Subject:
    """The network at the end of its training, or at a step at which it was kept on the way."""
    kept, last = resources.catalogue().kept_steps(run.run), run.config.training.steps
    if not kept:
        return Subject(run)
    steps, key = [*kept, last], f"attributions-{place}-{run.run}-step"
    with address.kept(key, last, steps):
        chosen = st.select_slider(
            told(_AFTER[place]), steps, format_func=lambda step: f"{step:,}", key=key,
            help=tr("Its weights as they were kept on the way, and at the end."),
        )  # fmt: skip
    return Subject(run, None if chosen == last else int(chosen))


def _deepest(choices: Sequence[Run], family: str) -> Run:
    """The deepest network of a family in the newest race whose images are at hand."""
    race = latest_race([run for run in choices if resources.has_images(run)] or choices)
    found = [run for run in race if run.config.network.family == family] or race
    return max(found, key=lambda run: run.config.network.depth)


def _maps(chosen: Chosen, subjects: Sequence[Subject], places: Places) -> None:
    classes = _classes(subjects[0].run)
    for other in subjects[1:]:
        if not _same_images(subjects[0].run, other.run):
            name = other.run.config.network.name
            st.warning(
                tr(
                    "{network} was trained on other images: the classes that are named here are not its own.",
                    network=name,
                ),
                icon=":material/warning:",
            )
    asked = question(places, subjects, classes, chosen.label)
    if not asked.requests:
        st.info(tr("Choose at least one method."), icon=":material/info:")
        return
    with frame.errors_in_place():
        now = case(chosen, subjects, asked, classes)
        _finding(now)
        found = answer(now.wanted, partial(_draw, now), "attributions-answer")
        if found is not None:
            with st.container(horizontal=True):
                downloads(now.comparison(found))
                attribution_slide.add(chosen)
            attribution_slide.panel(now)
            trust.panel(subjects, now.columns(found), now.seen, [one.method for one in asked.requests])


def _draw(now: Case, found: Found) -> None:
    """The figure, built anew only when there is more to show: it takes a fifth of a second."""
    shown = (now.question, tuple(map(len, found)), now.asked.opacity, now.asked.grids, language())
    drawn = st.session_state.get("attributions-drawn")
    if not drawn or drawn[0] != shown:
        drawn = st.session_state["attributions-drawn"] = (shown, *_figures(now, found))
    _, wide, narrow, alt = drawn
    live_plot(wide, key="attributions-maps", height=wide.layout.height, alt=alt, narrow=narrow)


def _figures(now: Case, found: Found) -> tuple[Any, theme.Narrow, str]:
    """On a desk, on a phone, in words."""
    columns = now.columns(found)
    wide, narrow = (
        side_by_side(
            now.image, columns, now.rows, now.classes, opacity=now.asked.opacity, grids=now.asked.grids, width=width
        )
        for width in _WIDTHS
    )
    return wide, theme.rearranged(narrow), alternative_text(columns, now.rows, now.classes)


def _finding(now: Case) -> None:
    """What the image is, what each network says, and how to read the colours."""
    label = now.chosen.label
    truth = tr("It is: **{name}**.", name=now.classes[label]) + " " if label is not None else ""
    said = ", ".join(
        tr("{network} says **{predicted}**", network=one.label, predicted=one.predicted) for one in now.heads
    )
    scale = tr("One colour scale a row, shared by all networks; white is zero.")
    frame.finding([f"{truth}{said}."], f"{scale} {shared([one.run for one in now.subjects])}".rstrip())


def _classes(run: Run) -> tuple[str, ...]:
    """Names of the classes; numbers where the images that name them are not here."""
    try:
        return reading.images_of(run, "attributions-classes").classes
    except RequestError:
        return tuple(map(str, range(run.config.network.classes)))
