"""The panel below the maps: can they be trusted?"""

from collections.abc import Sequence
from functools import partial, reduce
from html import escape
from typing import Any

import streamlit as st

from explorer import jobs
from explorer.attribution.methods import METHODS, usual
from explorer.engines.studies import Study
from explorer.language import later, told, tr
from explorer.plots import theme
from explorer.plots.attributions import Column
from explorer.plots.trust import (
    Cascade,
    Curved,
    deletion_insertion,
    deletion_insertion_text,
    sanity_lines,
    sanity_text,
)
from explorer.ui import controls, frame, studies, trust_many
from explorer.ui.attribution_maps import Subject, curves, map_seconds
from explorer.ui.live_plot import live_plot

_KINDS = {
    "curves": later("Deletion"),
    "quality": later("16 images"),
    "sanity": later("Sanity check"),
    "noise": later("Noise"),
    "means": later("Class mean"),
}
_QUALITY_MEASURES = {
    "completeness": (
        later("off by"),
        later("How far the map's sum misses what it promises, as a share of it."),
    ),
    "infidelity": (
        later("infidelity"),
        later("0: the map predicts what hiding squares does; 1: no better than a map of zeros."),
    ),
    "sensitivity": (
        later("sensitivity"),
        later("How much the map changes when the image is moved a little, relative to its size."),
    ),
    "deletion": (later("deletion ↓"), later("Area under the deletion curve: lower is better.")),
    "insertion": (later("insertion ↑"), later("Area under the insertion curve: higher is better.")),
    "smoothness": (later("smoothness"), later("Correlation of neighbouring pixels: 0 is noise.")),
}
_SANITY_METHODS = ("saliency", "input_x_gradient", "guided_backprop", "grad_cam")
_IMAGES = 16
_QUALITY_MAPS, _QUALITY_REST = 7, 250  # maps an image; forward passes for squares and curves
_START_SECONDS = 5.0  # of a process with torch
_HEIGHT, _NARROW_HEIGHT = 330, 600


def panel(subjects: Sequence[Subject], columns: Sequence[Column], pixels: Any, methods: Sequence[str]) -> None:
    """Measures of the maps above: on this image at once, on sixteen of the test set as a study."""
    st.header(tr("Can these maps be trusted?"), anchor=False)
    kind = controls.pick(
        tr("Test"), list(_KINDS), "curves", "attributions-trust", lambda one: told(_KINDS[one]),
        means=tr("Ways to ask whether a map tells what moved the score; each says below what it does."),
    )  # fmt: skip
    if kind == "curves":
        _curves(subjects, columns, pixels, methods)
        return
    if kind == "noise":
        trust_many.noise(subjects[0])
        return
    subjects, columns = subjects[:2], columns[:2]  # as many studies as are made at once
    if subjects[0] == subjects[-1]:
        subjects, columns = subjects[:1], columns[:1]
    labels = [column.label for column in columns]
    if kind == "means":
        trust_many.means(subjects, labels, methods, next((one.target for one in columns[0].maps), 0))
        return
    used = list(methods) if kind == "quality" else list(_SANITY_METHODS)
    asked = [_asked(kind, subject, used) for subject in subjects]
    studies.press(asked, tr("Measure"), ":material/play_arrow:", "trust")
    studies.follow(asked, partial(_studied, kind, labels), "trust")


def _curves(subjects: Sequence[Subject], columns: Sequence[Column], pixels: Any, methods: Sequence[str]) -> None:
    name = st.selectbox(
        tr("Map"), methods, format_func=lambda one: METHODS[one].label, key="attributions-curves",
        help=tr("The map in whose order pixels go and come."),
    )  # fmt: skip
    shown = []
    for subject, column in zip(subjects, columns, strict=True):
        found = next((one for one in column.maps if one.method == name), None)
        if found is None:
            continue  # it was stopped, or cannot be made
        made = curves(subject, pixels[subject.size], found.target, found.values)
        shown.append(Curved(column.network.family, column.label, made))
    said = [
        tr(
            "**{name}:** area {deletion:.2f} as pixels go, {insertion:.2f} as they come.",
            name=one.label, deletion=one.curves.deletion_area, insertion=one.curves.insertion_area,
        )
        for one in shown
    ]  # fmt: skip
    frame.finding(
        said,
        tr("A good map lets the score fall fast and rise fast. The most important pixels go first, to the mean image."),
    )
    figure = deletion_insertion(shown)
    narrow = theme.stacked(figure, _NARROW_HEIGHT)
    live_plot(figure, key="trust-curves", height=_HEIGHT, alt=deletion_insertion_text(shown), narrow=narrow)


def _studied(kind: str, labels: Sequence[str], found: studies.Found) -> None:
    there = [(label, study) for label, study in zip(labels, found, strict=True) if study and study.records]
    if there:
        (_table if kind == "quality" else _cascades)(there)
        studies.badge(found)


def _table(there: Sequence[tuple[str, Study]]) -> None:
    """Methods below each other, both networks in each, measures beside each other."""
    lasts = [(label, study.records[-1]) for label, study in there]
    head = "".join(
        f'<th scope="col" title="{escape(told(help), quote=True)}">{escape(told(title))}</th>'
        for title, help in _QUALITY_MEASURES.values()
    )
    rows = []
    for method in lasts[0][1]["methods"]:
        for place, (label, last) in enumerate(lasts):
            name = f'<th scope="row" rowspan="{len(lasts)}"><b>{escape(METHODS[method].label)}</b></th>'
            cells = "".join(
                f"<td>{_measure(measure, last['methods'].get(method, {}).get(measure))}</td>"
                for measure in _QUALITY_MEASURES
            )
            named = (name if place == 0 else "") + f'<th scope="row">{escape(label)}</th>'
            rows.append(f"<tr>{named}{cells}</tr>")
    st.html(
        '<div class="rx-wide"><table class="rx-counts"><thead><tr>'
        f'<th scope="col">{tr("method")}</th><th scope="col">{tr("network")}</th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
    seen = min(last["done"] for _, last in lasts)
    st.caption(
        tr(
            "Means over the first {seen} of {of} test images, each for its true class; integrated gradients with 50 "
            "points and no more. Rest on a heading to read what it means.",
            seen=seen, of=lasts[0][1]["of"],
        )
    )  # fmt: skip


def _measure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f}\u00a0%" if name == "completeness" else f"{value:.2f}"


def _cascades(there: Sequence[tuple[str, Study]]) -> None:
    names = {name: METHODS[name].label for name in _SANITY_METHODS}
    shown = []
    for label, study in there:
        similarity = {name: [one["similarity"][name] for one in study.records] for name in _SANITY_METHODS}
        shown.append(Cascade(label, [one["layer"] for one in study.records], similarity))
    ends = {name: [one.similarity[name][-1] for one in shown] for name in _SANITY_METHODS}
    worst = max(ends, key=lambda name: max(ends[name]))
    left = [tr("{value:.2f} in {network}", value=one.similarity[worst][-1], network=one.label) for one in shown]
    frame.finding(
        [
            tr(
                "**{method}** changes least when all weights are random: a correlation of {values} is left.",
                method=names[worst],
                values=reduce(lambda some, last: tr("{some} and {last}", some=some, last=last), left),
            )
        ],
        tr(
            "Weights are made random from the head down (Adebayo et al. 2018), {images} test images. A map that stays "
            "near 1 draws the image, not what the network learnt.",
            images=_IMAGES,
        ),
    )
    figure = sanity_lines(shown, names)
    narrow = theme.stacked(figure, _NARROW_HEIGHT) if len(shown) == 2 else None
    live_plot(figure, key="trust-sanity", height=_HEIGHT + 60, alt=sanity_text(shown, names), narrow=narrow)


def _asked(kind: str, subject: Subject, methods: Sequence[str]) -> studies.Asked:
    step = [] if subject.step is None else ["--step", str(subject.step)]
    chosen = [part for name in methods for part in ("--method", name)]
    arguments = [kind, subject.run.run, "--images", str(_IMAGES), *step, *chosen]
    return studies.Asked(subject.run, arguments, _estimate(kind, subject, methods))


def _estimate(kind: str, subject: Subject, methods: Sequence[str]) -> float:
    config, passes = subject.run.config, [METHODS[name].passes(usual(name)) for name in methods]
    if kind == "sanity":
        parts = sum(config.network.blocks) + 3
        return _START_SECONDS + parts * jobs.passing(config, sum(passes), _IMAGES)
    each = sum(_QUALITY_MAPS * map_seconds(subject, one) + map_seconds(subject, _QUALITY_REST) for one in passes)
    return _START_SECONDS + _IMAGES * each
