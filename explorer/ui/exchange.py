"""Networks as files: export as code and weights, import of what others trained."""

from typing import TYPE_CHECKING

import streamlit as st

from explorer import recordings
from explorer.config import NetworkConfig
from explorer.records import Provenance
from explorer.runs import DONE
from explorer.ui import controls, resources

if TYPE_CHECKING:
    from explorer.checkpoints import Trained

_UNTRAINED = ""


def export(config: NetworkConfig) -> None:
    """A download of the network as PyTorch code that runs without this program; of a chosen run, with its weights."""
    from explorer.export import archive  # with torch

    trained = [
        run
        for run in resources.catalogue().runs()
        if run.config.network == config and run.state == DONE and resources.catalogue().has_weights(run.run)
    ]
    by_run = {run.run: run for run in trained}
    picked = _UNTRAINED
    if by_run:
        picked = st.selectbox(
            "Weights",
            [*by_run, _UNTRAINED],
            format_func=lambda run: controls.run_label(by_run[run]) if run else "none: code only",
            key="export-run",
        )
    st.download_button(
        "PyTorch code" + (" and weights" if picked else ""),
        lambda: archive(config, *_trained(picked)),
        file_name=f"{config.name.replace(':', '-').replace('@', '-')}.zip",
        icon=":material/download:",
        help="A zip of one readable file that needs torch alone, and the weights beside it.",
        key="export-code",
    )


def _trained(run: str) -> tuple["Trained | None", Provenance | None]:
    """The network and the provenance of a run; nothing of none."""
    if not run:
        return None, None
    catalogue = resources.catalogue()
    return recordings.trained(catalogue, run), catalogue.run(run).provenance
