"""The panels of lesions: blocks of two trained networks taken away one by one, several at once, or exchanged."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import streamlit as st

from explorer import jobs
from explorer.engines.studies import RUNNING, Study
from explorer.language import later, told, tr
from explorer.network_config import is_entry
from explorer.plots import theme
from explorer.plots.lesions import Changed, Lesioned, alternative_text, changes, changes_text, lesion_bars
from explorer.runs import Run
from explorer.ui import controls, frame, reading, resources, sitemap, studies
from explorer.ui.architecture import outline
from explorer.ui.drawing import drawing
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import labels

_IMAGES, _IMAGES_OF_DRAWS = 1000, 500
_NUMBERS, _DRAWS = (1, 2, 4, 8, 16), 8
_HEIGHT, _NARROW_HEIGHT = 380, 640
_STUDIES = {
    "each": later("Each block in turn"),
    "remove": later("Several at once"),
    "swap": later("Exchanged"),
    "choose": later("Choose"),
}
_COUNTED = {"remove": later("blocks taken away"), "swap": later("exchanges of two blocks of a stage")}
_DRAWN = {
    "remove": later("{draws} draws each of {numbers} blocks taken away."),
    "swap": later("{draws} draws each of {numbers} exchanges of two blocks of a stage."),
}


@dataclass(frozen=True)
class Rise:
    """By how much an error rises without one block that keeps the shape, as a fraction."""

    median: float
    most: float
    block: str
    """Without which it rises most."""


def panel() -> None:
    """Two networks, and what is done to their blocks."""
    catalogue = resources.catalogue()
    choices = [run for run in catalogue.runs() if catalogue.has_weights(run.run) and _has_blocks(run)]
    if not choices:
        st.info(tr("No network whose weights were kept has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some: Degradation"))
        return
    what = controls.pick(
        tr("Take away"), list(_STUDIES), "each", "lesions-what", lambda name: told(_STUDIES[name]),
        means=tr("**Each block in turn:** one at a time. **Several at once:** more and more, drawn by chance. "
                 "**Exchanged:** two blocks of a stage change places. **Choose:** those that you name."),
    )  # fmt: skip
    result = st.container()
    runs, button = studies.pair(choices, "lesions")
    with result:
        if what == "choose":
            _choose(runs)
            return
        asked = [_asked(run, what) for run in runs]
        draw = partial(_each, runs) if what == "each" else partial(_several, runs, what)
        studies.follow(asked, draw, f"lesions-{what}")
    with button:
        studies.press(asked, tr("Measure"), ":material/content_cut:", "lesions")


def _each(runs: Sequence[Run], found: studies.Found) -> None:
    """A bar a block, and what taking one away does, by the median over blocks that keep their shape."""
    names = labels(runs)
    shown = [_lesioned(run, names[run.run], study) for run, study in zip(runs, found, strict=True)]
    measured = [one for one in shown if one]
    if not measured:
        _nothing_yet(found, tr("Take each block away in turn, and look at the error of what is left."))
        return
    said = [
        tr(
            "**{network}:** without one block the error rises by {points:.1f} points (median; at most {most:.1f}, "
            "without {block}), from {whole:.1%}.",
            network=one.label,
            points=100 * found_rise.median,
            most=100 * found_rise.most,
            block=found_rise.block.removeprefix("stage"),
            whole=one.whole,
        )  # fmt: skip
        for one, found_rise in ((one, _rise(one)) for one in measured)
    ]
    seen = min(study.records[-1]["images"] for study in found if study and study.records)
    frame.finding(
        said,
        tr(
            "On {seen:,} test images. Median over the blocks that keep the shape; hatched: those that change it.",
            seen=seen,
        ),  # fmt: skip
    )
    studies.badge(found)
    figure = lesion_bars(measured, _chance(runs))
    narrow = theme.stacked(figure, _NARROW_HEIGHT) if len(measured) == 2 else None
    live_plot(figure, key="lesions-bars", height=_HEIGHT, alt=alternative_text(measured), narrow=narrow)


def _several(runs: Sequence[Run], what: str, found: studies.Found) -> None:
    """A point a draw over the number of blocks taken away, or of exchanges."""
    names = labels(runs)
    shown = [_changed(run, names[run.run], what, study) for run, study in zip(runs, found, strict=True)]
    measured = [one for one in shown if one]
    if not measured:
        _nothing_yet(found, told(_DRAWN[what], draws=_DRAWS, numbers=", ".join(map(str, _NUMBERS))))
        return
    frame.finding(
        [_several_sentence(one, what) for one in measured],
        tr(
            "Medians of {draws} draws on {images} test images. Blocks that change the shape keep their place.",
            draws=_DRAWS,
            images=_IMAGES_OF_DRAWS,
        ),  # fmt: skip
    )
    studies.badge(found)
    counted = told(_COUNTED[what])
    figure = changes(measured, _chance(runs), counted)
    live_plot(figure, key=f"lesions-{what}", height=_HEIGHT, alt=changes_text(measured, counted))


def _choose(runs: Sequence[Run]) -> None:
    """Blocks as buttons in the order of the signal, and in the drawing: press one and the error is measured at once."""
    names, said = labels(runs), []
    result = st.container()
    twins = len({run.config.network.block_names for run in runs}) == 1
    for alike in [runs] if twins else [[run] for run in runs]:
        blocks = alike[0].config.network.block_names
        key = f"lesions-blocks-{alike[0].run}"
        chosen = st.pills(
            _press(*[names[run.run] for run in alike]),
            blocks,
            selection_mode="multi",
            format_func=lambda block: block.removeprefix("stage"),
            key=key,
        )
        drawing(
            [outline(run.config.network) for run in alike],
            key=f"{key}-drawing",
            unfolded=[f"stage{stage}" for stage, _ in enumerate(alike[0].config.network.blocks, 1)],
            pressed=chosen,
            pressable=blocks,
            on_press=partial(_take_or_give_back, key),
        )
        for run in alike:
            reading.images_of(run, f"{key}-{run.run}")
            whole, left = resources.error_without(run, ()), resources.error_without(run, tuple(sorted(chosen)))
            name, of = names[run.run], len(blocks)
            if chosen:
                line = tr(
                    "**{network}:** {left:.1%} without {few} of {blocks} blocks, {whole:.1%} with all.",
                    network=name, left=left, few=len(chosen), blocks=of, whole=whole,
                )  # fmt: skip
                said.append(line)
            else:
                said.append(tr("**{network}:** {whole:.1%} with all.", network=name, whole=whole))
    images = resources.QUICK_IMAGES
    basis = tr("Error on {images} test images. 2.0 is the first block of the second stage.", images=images)
    with result:
        frame.finding(said, basis)


def _take_or_give_back(key: str, block: str) -> None:
    chosen: list[str] = st.session_state.get(key) or []
    st.session_state[key] = [other for other in chosen if other != block] if block in chosen else [*chosen, block]


def _press(first: str, second: str = "") -> str:
    """What to do with the blocks of one network, or of two that have the same."""
    if second:
        return tr(
            "Blocks of {first} and {second}, from the image to the head: press those to take away",
            first=first, second=second,
        )  # fmt: skip
    return tr("Blocks of {network}, from the image to the head: press those to take away", network=first)


def _nothing_yet(found: studies.Found, what: str) -> None:
    running = any(study and study.state == RUNNING for study in found)
    frame.finding([tr("Measuring …") if running else tr("Not measured yet.")], what)


def _rise(one: Lesioned) -> Rise:
    rises = [
        (error - one.whole, block)
        for error, block, entry in zip(one.errors, one.blocks, one.entries, strict=True)
        if not entry
    ]
    return Rise(median(rise for rise, _ in rises), *max(rises))


def _several_sentence(one: Changed, what: str) -> str:
    some = max((number for number in one.errors if number <= 4), default=None)
    if some is None:
        return tr("**{network}:** {whole:.1%} unchanged.", network=one.label, whole=one.whole)
    values: dict[str, Any] = {
        "network": one.label, "error": median(one.errors[some]), "some": some, "whole": one.whole,
    }  # fmt: skip
    if what == "remove":
        return tr("**{network}:** {error:.1%} without {some} blocks, {whole:.1%} unchanged.", **values)
    return tr("**{network}:** {error:.1%} after {some} exchanges, {whole:.1%} unchanged.", **values)


def _lesioned(run: Run, label: str, study: Study | None) -> Lesioned | None:
    if not study or not study.records:
        return None
    last: dict[str, Any] = study.records[-1]
    blocks = [lesion["blocks"][0] for lesion in last["lesions"]]
    errors = [lesion["error"] for lesion in last["lesions"]]
    return Lesioned(run.config.network.family, label, blocks, errors, last["whole"], [is_entry(b) for b in blocks])


def _changed(run: Run, label: str, what: str, study: Study | None) -> Changed | None:
    if not study or not study.records:
        return None
    last: dict[str, Any] = study.records[-1]
    errors: dict[int, list[float]] = defaultdict(list)
    for index, lesion in enumerate(last["lesions"]):
        number = len(lesion["blocks"]) if what == "remove" else _NUMBERS[index // _DRAWS]
        errors[number].append(lesion["error"])
    return Changed(run.config.network.family, label, last["whole"], errors)


def _asked(run: Run, what: str) -> studies.Asked:
    """What lies before a block is computed once, what lies behind it for each: half the network on average."""
    if what == "each":
        passes = sum(run.config.network.blocks) / 2 + 1
        return studies.Asked(
            run, ["lesions", run.run, "--images", str(_IMAGES)], jobs.measuring(run.config, _IMAGES, passes)
        )
    numbers = ",".join(map(str, _NUMBERS))
    arguments = ["lesions", run.run, f"--{what}", numbers, "--draws", str(_DRAWS), "--images", str(_IMAGES_OF_DRAWS)]
    return studies.Asked(run, arguments, jobs.measuring(run.config, _IMAGES_OF_DRAWS, len(_NUMBERS) * _DRAWS + 1))


def _chance(runs: Sequence[Run]) -> float:
    return 1 - 1 / runs[0].config.network.classes


def _has_blocks(run: Run) -> bool:
    return run.config.network.design == "cifar" and run.config.network.block in ("basic", "bottleneck")


def rise(run: Run) -> Rise | None:
    """By how much the error rises without one block, as far as that was measured."""
    measured = _lesioned(run, run.label, resources.studies().get(_asked(run, "each").arguments))
    return _rise(measured) if measured else None
