"""The panel of path lengths: along which paths the gradient comes back in two residual networks."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer import jobs
from explorer.engines.studies import Study
from explorer.language import tr
from explorer.plots import theme
from explorer.plots.paths import Paths, alternative_text, middle, path_shares
from explorer.records import PathLength
from explorer.runs import Run
from explorer.ui import controls, frame, resources, sitemap, studies
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import labels, most_trained

_IMAGES, _DRAWS = 16, 30
_PASSES_A_BLOCK = 1.5  # what a block costs on the way back, as measured: little work at a time
_HEIGHT, _NARROW_HEIGHT = 360, 620


def panel() -> None:
    """Two residual networks; the paths' lengths and the gradient's."""
    catalogue = resources.catalogue()
    choices = [run for run in catalogue.runs() if catalogue.has_weights(run.run) and _adds(run)]
    if not choices:
        st.info(tr("No residual network whose weights were kept has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some: Degradation"))
        return
    result = st.container()
    chosen_in, button = st.columns([3, 1], vertical_alignment="bottom")
    usual = [run for run in most_trained(choices) if run.config.seed == 0]
    with chosen_in:
        chosen = controls.runs(tr("Residual networks"), choices, usual[:2], key="paths-runs", most=2)
    if not chosen:
        st.info(tr("Choose at least one network."), icon=":material/info:")
        return
    asked = [_asked(run) for run in chosen]
    with result:
        studies.follow(asked, partial(_draw, chosen), "paths")
    with button:
        studies.press(asked, tr("Measure"), ":material/conversion_path:", "paths")


def _draw(runs: Sequence[Run], found: studies.Found) -> None:
    names = labels(runs)
    shown = [_paths(run, names[run.run], study) for run, study in zip(runs, found, strict=True)]
    measured = [one for one in shown if one]
    if not measured:
        basis = tr("{draws} paths of each length, followed back from the loss.", draws=_DRAWS)
        frame.finding([tr("Not measured yet.")], basis)
        return
    whole = [one for one in measured if len(one.lengths) == one.blocks + 1]
    frame.finding(
        [_sentence(one) for one in whole] or [tr("Measuring …")],
        tr(
            "{draws} paths of each length drawn by chance, mean norm of the gradient of {images} training images, "
            "times how many paths there are.",
            draws=_DRAWS,
            images=_IMAGES,
        ),  # fmt: skip
    )
    studies.badge(found)
    figure = path_shares(measured)
    narrow = theme.stacked(figure, _NARROW_HEIGHT) if len(measured) == 2 else None
    live_plot(figure, key="paths", height=_HEIGHT, alt=alternative_text(measured), narrow=narrow)


def _sentence(one: Paths) -> str:
    return tr(
        "**{network}:** of its {blocks} blocks, half of the gradient goes through at most {share}; half of all paths "
        "through at most {paths}.",
        network=one.label, blocks=one.blocks, share=middle(one.lengths, "share"), paths=middle(one.lengths, "paths"),
    )  # fmt: skip


def _paths(run: Run, label: str, study: Study | None) -> Paths | None:
    if not study or not study.records:
        return None
    last: dict[str, Any] = study.records[-1]
    lengths = [PathLength(**length) for length in last["lengths"]]
    return Paths(run.config.network.family, label, sum(run.config.network.blocks), lengths)


def _asked(run: Run) -> studies.Asked:
    """A path of half the length on average, and only its blocks' layers cost."""
    blocks = sum(run.config.network.blocks)
    arguments = ["paths", run.run, "--images", str(_IMAGES), "--draws", str(_DRAWS)]
    return studies.Asked(run, arguments, jobs.measuring(run.config, _IMAGES, _PASSES_A_BLOCK * _DRAWS * blocks / 2))


def _adds(run: Run) -> bool:
    network = run.config.network
    return network.design == "cifar" and network.shortcut in ("A", "B", "C")
