"""The maps to take along, with all that it takes to make them again."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.language import language, later, told, tr, using
from explorer.plots import attribution_files as files
from explorer.plots import sheet
from explorer.plots.attribution_files import Comparison
from explorer.plots.attributions import Column
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Request, Subject
from explorer.ui.download import download

Files = dict[str, tuple[str, str, str, Callable[[Any], bytes | str]]]
"""By kind: what the button says, the file's name, its type, and what makes it."""

_FILES: Files = {
    "png": (later("Comparison, PNG"), "attributions.png", "image/png", lambda one: sheet.png(files.sheet(one))),
    "svg": (later("Comparison, SVG"), "attributions.svg", "image/svg+xml", lambda one: sheet.svg(files.sheet(one))),
    "html": (later("Comparison, HTML with raw values"), "attributions.html", "text/html", files.html),
    "zip": (later("All maps, NPY and PNG"), "attributions.zip", "application/zip", files.archive),
}
_SLIDES: Files = {
    "png": (later("Slide, PNG"), "slide.png", "image/png", lambda some: sheet.png(files.slide(some))),
    "svg": (later("Slide, SVG"), "slide.svg", "image/svg+xml", lambda some: sheet.svg(files.slide(some))),
    "html": (later("Slide, HTML"), "slide.html", "text/html", lambda some: sheet.page(files.slide(some))),
}


def downloads(shown: Comparison) -> None:
    """One button a format for one image."""
    _buttons(_FILES, shown, tr("Download"), "attributions-download")


def slide_downloads(shown: Sequence[Comparison]) -> None:
    """One button a format for several images."""
    _buttons(_SLIDES, shown, tr("Download the slide"), "attributions-slide")


def _buttons(made: Files, shown: Any, label: str, key: str) -> None:
    """A file is made when it is asked for."""
    with st.popover(label, icon=":material/download:"):
        for kind, (text, name, mime, make) in made.items():
            in_words = partial(_made, make, shown, language())
            download(told(text), in_words, name, mime, key=f"{key}-{kind}", width="stretch")


def _made(make: Callable[[Any], bytes | str], shown: Any, spoken: str) -> bytes | str:
    """The file, in the language of who asked for it, whoever's thread makes it."""
    with using(spoken):
        return make(shown)


def configuration(
    subjects: Sequence[Subject], columns: Sequence[Column], chosen: Chosen, requests: Sequence[Request]
) -> dict[str, Any]:
    """How the maps were made, as plain JSON values."""
    return {
        "image": chosen.name,
        "label": chosen.label,
        "networks": [_network(subject, column) for subject, column in zip(subjects, columns, strict=True)],
        "methods": [
            {"method": one.method, "baseline": one.baseline, "parameters": dict(one.parameters)} for one in requests
        ],
    }


def _network(subject: Subject, column: Column) -> dict[str, Any]:
    provenance = subject.run.provenance
    return {
        "run": subject.run.run,
        "network": subject.run.config.network.name,
        "step": subject.step or subject.run.config.training.steps,
        "config": subject.run.config.to_dict(),
        "origin": provenance.origin if provenance else "live",
        "versions": provenance.versions if provenance else {},
        "targets": sorted({one.target for one in column.maps}),
    }
