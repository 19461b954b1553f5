"""Maps of many images: how noisy gradients are at each depth, and the mean maps of a class."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer import jobs
from explorer.attribution.methods import METHODS, usual
from explorer.engines.studies import Study
from explorer.language import tr
from explorer.plots import theme
from explorer.plots.attributions import Column, Row, alternative_text, side_by_side
from explorer.plots.trust import Noise, noise_by_depth, noise_text
from explorer.records import Attribution
from explorer.runs import Run
from explorer.ui import frame, reading, resources, studies
from explorer.ui.attribution_maps import Subject, map_seconds
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import labels, trained_alike

_NOISE_IMAGES, _NOISE_PASSES, _CLASS_IMAGES = 256, 6, 24
_HEIGHT, _NARROW_HEIGHT = 360, 640
_WIDTHS = 640, 360
_START_SECONDS = 5.0  # of a process with torch


def noise(subject: Subject) -> None:
    """Of all networks that were trained as this one was."""
    catalogue = resources.catalogue()
    runs = trained_alike(subject.run, [run for run in catalogue.runs() if catalogue.has_weights(run.run)])
    runs = runs or [subject.run]
    takes = sum(jobs.measuring(run.config, _NOISE_IMAGES, _NOISE_PASSES) - _START_SECONDS for run in runs)
    arguments = ["noise", *(run.run for run in runs), "--images", str(_NOISE_IMAGES)]
    asked = [studies.Asked(subject.run, arguments, _START_SECONDS + takes)]
    studies.press(asked, tr("Measure {count} networks", count=len(runs)), ":material/play_arrow:", "trust")
    studies.follow(asked, partial(_noise, runs), "trust")


def _noise(runs: Sequence[Run], found: studies.Found) -> None:
    (study,) = found
    if not study or not study.records:
        return
    by_run, names = {run.run: run.config.network for run in runs}, labels(runs)
    shown = [
        Noise(
            by_run[one["run"]].family, names[one["run"]].partition(" · ")[0], by_run[one["run"]].depth,
            *(tuple(one[measure][end] for end in ("mean", "low", "high")) for measure in ("smoothness", "steadiness")),
        )
        for one in study.records[-1]["networks"]
        if "smoothness" in one
    ]  # fmt: skip
    frame.finding(
        [
            tr(
                "**{network}:** {smooth} between pixels beside each other, {steady} after noise.",
                network=one.label, smooth=_interval(one.smoothness), steady=_interval(one.steadiness),
            )
            for one in sorted(shown, key=lambda one: one.depth)[-2:]
        ],
        tr(
            "Similarity of the score's gradient, 1 without noise and 0 nothing but noise: means over {images} test "
            "images with 95 % intervals, one seed. Above: the deepest networks. Smooth is not yet right: a network "
            "that learnt little can have a smooth gradient.",
            images=_NOISE_IMAGES,
        ),
    )  # fmt: skip
    figure = noise_by_depth(shown)
    narrow = theme.stacked(figure, _NARROW_HEIGHT)
    live_plot(figure, key="trust-noise", height=_HEIGHT, alt=noise_text(shown), narrow=narrow)
    studies.badge(found)


def _interval(values: tuple[float, float, float]) -> str:
    return f"{values[0]:.3f} ± {(values[2] - values[1]) / 2:.3f}"


def means(subjects: Sequence[Subject], names: Sequence[str], methods: Sequence[str], target: int) -> None:
    """The mean absolute maps of one class, at first the one that is explained above."""
    classes = reading.images_of(subjects[0].run, "trust").classes
    place, press = st.columns([1, 1], vertical_alignment="bottom")
    label: int = place.selectbox(
        tr("Class"), range(len(classes)), target, format_func=lambda index: classes[index], key="trust-class"
    )
    asked = [_asked(subject, label, methods) for subject in subjects]
    with press:
        studies.press(asked, tr("Measure"), ":material/play_arrow:", "trust")
    studies.follow(asked, partial(_means, subjects, names, label), "trust")


def _asked(subject: Subject, label: int, methods: Sequence[str]) -> studies.Asked:
    step = [] if subject.step is None else ["--step", str(subject.step)]
    chosen = [part for name in methods for part in ("--method", name)]
    arguments = ["means", subject.run.run, "--label", str(label), "--images", str(_CLASS_IMAGES), *step, *chosen]
    each = sum(map_seconds(subject, METHODS[name].passes(usual(name))) for name in methods)
    return studies.Asked(subject.run, arguments, _START_SECONDS + _CLASS_IMAGES * each)


def _means(subjects: Sequence[Subject], names: Sequence[str], label: int, found: studies.Found) -> None:
    there = [(subject, name, study) for subject, name, study in zip(subjects, names, found, strict=True) if study]
    there = [(subject, name, study) for subject, name, study in there if study.records]
    if not there:
        return
    images = reading.images_of(subjects[0].run, "trust")
    seen = min(study.records[-1]["done"] for _, _, study in there)
    pixels = images.test_images[images.test_labels == label][:seen]
    mean = pixels.float().mean(dim=0).round().byte().numpy()
    columns = [_column(subject, name, images.classes[label], study, label) for subject, name, study in there]
    rows = [Row(one, METHODS[one].label, "") for one in there[0][2].records[-1]["maps"]]
    frame.finding(
        [tr("Means of |map| over {count} images of **{name}**.", count=seen, name=images.classes[label])],
        tr(
            "Each image's map is divided by its own mean first: 1 is a pixel that counts as much as the average one. "
            "Percentages: how many of these images the network gets right."
        ),
    )
    wide, narrow = (
        side_by_side(mean, columns, rows, images.classes, title=tr("mean image"), width=width) for width in _WIDTHS
    )
    alt = alternative_text(columns, rows, images.classes)
    live_plot(wide, key="trust-means", height=wide.layout.height, alt=alt, narrow=theme.rearranged(narrow))
    studies.badge(found)


def _column(subject: Subject, name: str, predicted: str, study: Study, label: int) -> Column:
    last: dict[str, Any] = study.records[-1]
    maps = [
        Attribution(method, np.array(values, dtype=np.float32), False, label, None, 0.0)
        for method, values in last["maps"].items()
    ]
    return Column(subject.run.config.network, name, predicted, last["right"], maps)
