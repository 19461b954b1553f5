"""The panel of lesions: each block of two trained networks taken away in turn."""

from collections.abc import Sequence
from statistics import median
from typing import Any

import streamlit as st

from explorer import jobs
from explorer.engines.studies import DONE, FAILED, RUNNING, Study
from explorer.errors import RequestError
from explorer.plots import theme
from explorer.plots.lesions import Lesioned, alternative_text, lesion_bars
from explorer.runs import Run
from explorer.ui import controls, frame, resources, sentences, sitemap
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import labels, most_trained

_IMAGES = 1000
_HEIGHT, _NARROW_HEIGHT = 380, 640
_TICK_SECONDS = 1.0


def panel() -> None:
    """Two networks, one press, a bar a block."""
    catalogue = resources.catalogue()
    choices = [run for run in catalogue.runs() if catalogue.has_weights(run.run) and _has_blocks(run)]
    if not choices:
        st.info("No network whose weights were kept has been trained yet.", icon=":material/info:")
        sitemap.link("degradation", "Train some: Degradation")
        return
    result = st.container()
    left, right, button = st.columns([3, 3, 2], vertical_alignment="bottom")
    usual = most_trained([run for run in choices if resources.has_images(run)] or choices)
    with left:
        first = controls.one_run("First network", choices, _deepest(usual, "plain"), key="lesions-first")
    with right:
        second = controls.one_run("Second network", choices, _deepest(usual, "resnet"), key="lesions-second")
    runs = [first] if first.run == second.run else [first, second]
    asked = [_arguments(run) for run in runs]
    with button:
        _press(runs, asked)
    with result:
        active = any(study and study.state == RUNNING for study in map(resources.studies().get, asked))
        st.fragment(_lesions, run_every=_TICK_SECONDS if active else None, key="lesions")(runs, asked, active)


def _press(runs: Sequence[Run], asked: Sequence[list[str]]) -> None:
    """Start what is not there yet, with an estimate; stop what is being made."""
    studies = resources.studies()
    found = [studies.get(arguments) for arguments in asked]
    if any(study and study.state == RUNNING for study in found):
        if st.button("Stop", icon=":material/stop:", key="lesions-stop", width="stretch"):
            for arguments in asked:
                studies.stop(arguments)
            st.rerun()
    elif not all(study and study.state == DONE for study in found):
        seconds = sum(_estimate(run) for run, study in zip(runs, found, strict=True) if not study)
        label = f"Take each block away · about {sentences.duration(seconds)}"
        if st.button(label, type="primary", icon=":material/play_arrow:", key="lesions-start", width="stretch"):
            for arguments in asked:
                studies.start(arguments)
            st.rerun()


def _lesions(runs: Sequence[Run], asked: Sequence[list[str]], was_active: bool) -> None:
    found = [resources.studies().get(arguments) for arguments in asked]
    if was_active and not any(study and study.state == RUNNING for study in found):
        st.rerun()  # once, to stop the clock
    names = labels(runs)
    shown = [_lesioned(run, names[run.run], study) for run, study in zip(runs, found, strict=True)]
    measured = [one for one in shown if one]
    _say(measured, found)
    if measured:
        figure = lesion_bars(measured, 1 - 1 / runs[0].config.network.classes)
        narrow = theme.stacked(figure, _NARROW_HEIGHT) if len(measured) == 2 else None
        live_plot(figure, key="lesions-bars", height=_HEIGHT, alt=alternative_text(measured), narrow=narrow)
    for run, study in zip(runs, found, strict=True):
        if study and study.state == FAILED:
            st.error(f"{run.label}: {study.message}")


def _say(measured: Sequence[Lesioned], found: Sequence[Study | None]) -> None:
    """What taking a block away does, by the median over blocks that keep their shape."""
    if not measured:
        doing = "Measuring …" if any(study and study.state == RUNNING for study in found) else "Not measured yet."
        frame.finding([doing], "Take each block away in turn, and look at the error of what is left.")
        return
    said = [
        f"**{one.label}:** without one block the error rises by {100 * _median_rise(one):.1f} points (median), "
        f"from {one.whole:.1%}."
        for one in measured
    ]
    last = [(study.records[-1]["images"], study.records[-1]["of"]) for study in found if study and study.records]
    seen, of = min(last)
    shapes = "Median over the blocks that keep the shape; hatched: those that change it."
    frame.finding(said, f"On {seen:,} of {of:,} test images. {shapes}")


def _median_rise(one: Lesioned) -> float:
    kept = [error - one.whole for error, entry in zip(one.errors, one.entries, strict=True) if not entry]
    return median(kept)


def _lesioned(run: Run, label: str, study: Study | None) -> Lesioned | None:
    if not study or not study.records:
        return None
    last: dict[str, Any] = study.records[-1]
    blocks = [lesion["blocks"][0] for lesion in last["lesions"]]
    errors = [lesion["error"] for lesion in last["lesions"]]
    entries = [block.endswith(".0") and not block.startswith("stage1") for block in blocks]
    return Lesioned(run.config.network.family, label, blocks, errors, last["whole"], entries)


def _arguments(run: Run) -> list[str]:
    """Of the command that measures it. Raises RequestError where the images of the run are not here."""
    source = resources.source_of(run)
    return ["lesions", run.run, "--data", str(source.path or source.kind), "--images", str(_IMAGES)]


def _estimate(run: Run) -> float:
    """What lies before a block is computed once, what lies behind it for each: half the network on average."""
    return jobs.measuring(run.config, _IMAGES, sum(run.config.network.blocks) / 2 + 1)


def _has_blocks(run: Run) -> bool:
    return run.config.network.design == "cifar" and run.config.network.block in ("basic", "bottleneck")


def _deepest(choices: Sequence[Run], family: str) -> Run:
    found = [run for run in choices if run.config.network.family == family]
    if not (found or choices):
        raise RequestError(f"no {family} network has been trained yet")
    return max(found or choices, key=lambda run: run.config.network.depth)
