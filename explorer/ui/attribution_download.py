"""The maps to take along, with all that it takes to make them again."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.plots import attribution_files
from explorer.plots.attribution_files import Comparison
from explorer.plots.attributions import Column
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_maps import Request, Subject

_FILES: dict[str, tuple[str, str, str, Callable[[Comparison], bytes | str]]] = {
    "png": ("Comparison, PNG", "attributions.png", "image/png", attribution_files.png),
    "svg": ("Comparison, SVG", "attributions.svg", "image/svg+xml", attribution_files.svg),
    "html": ("Comparison, HTML with raw values", "attributions.html", "text/html", attribution_files.html),
    "zip": ("All maps, NPY and PNG", "attributions.zip", "application/zip", attribution_files.archive),
}


def downloads(shown: Comparison) -> None:
    """One button a format; a file is made when it is asked for."""
    with st.popover("Download", icon=":material/download:"):
        for kind, (label, name, mime, make) in _FILES.items():
            st.download_button(
                label,
                lambda make=make: make(shown),  # type: ignore[misc]
                file_name=name,
                mime=mime,
                key=f"attributions-download-{kind}",
                width="stretch",
            )


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
