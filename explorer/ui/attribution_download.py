"""The maps to take along, with all that it takes to make them again."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from explorer.language import language, later, told, tr, using
from explorer.plots import attribution_files
from explorer.plots.attribution_files import Comparison
from explorer.plots.attributions import Column
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Request, Subject

_FILES: dict[str, tuple[str, str, str, Callable[[Comparison], bytes | str]]] = {
    "png": (later("Comparison, PNG"), "attributions.png", "image/png", attribution_files.png),
    "svg": (later("Comparison, SVG"), "attributions.svg", "image/svg+xml", attribution_files.svg),
    "html": (later("Comparison, HTML with raw values"), "attributions.html", "text/html", attribution_files.html),
    "zip": (later("All maps, NPY and PNG"), "attributions.zip", "application/zip", attribution_files.archive),
}


def downloads(shown: Comparison) -> None:
    """One button a format; a file is made when it is asked for."""
    with st.popover(tr("Download"), icon=":material/download:"):
        for kind, (label, name, mime, make) in _FILES.items():
            st.download_button(
                told(label),
                partial(_made, make, shown, language()),
                file_name=name,
                mime=mime,
                key=f"attributions-download-{kind}",
                width="stretch",
            )


def _made(make: Callable[[Comparison], bytes | str], shown: Comparison, spoken: str) -> bytes | str:
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
