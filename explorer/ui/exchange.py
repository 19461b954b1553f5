"""Networks as files: export as code and weights, import of what others trained."""

from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from explorer import recordings
from explorer.config import NetworkConfig
from explorer.language import later, told, tr
from explorer.records import Provenance
from explorer.runs import DONE
from explorer.ui import controls, frame, limits, reading, resources
from explorer.ui.download import download
from explorer.ui.names import label

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from explorer.checkpoints import Trained

_UNTRAINED = ""
_WEIGHTS = ["safetensors", "pt", "pth", "th"]
_NORMALIZATIONS = {
    None: later("as the file says, else as usual for CIFAR-10"),
    "cifar10": later("as usual for CIFAR-10"),
    "imagenet": later("as usual for ImageNet"),
}


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
            tr("Weights"),
            [*by_run, _UNTRAINED],
            format_func=lambda run: controls.run_label(by_run[run]) if run else tr("none: code only"),
            help=tr("Of a training of this network; without them the file is the code alone."),
            key="export-run",
        )
    download(
        tr("PyTorch code and weights") if picked else tr("PyTorch code"),
        lambda: archive(config, *_trained(picked)),
        f"{config.name.replace(':', '-').replace('@', '-')}.zip",
        "application/zip",
        help=tr("A zip of one readable file that needs torch alone, and the weights beside it."),
        key="export-code",
    )


def _trained(run: str) -> tuple["Trained | None", Provenance | None]:
    """The network and the provenance of a run; nothing of none."""
    if not run:
        return None, None
    catalogue = resources.catalogue()
    return recordings.trained(catalogue, run), catalogue.run(run).provenance


def take_in() -> None:
    """An upload that becomes a run: a recording at once, others' weights after a word on what they are of."""
    with st.expander(tr("Import a recording, or weights that others trained")):
        upload = st.file_uploader(
            tr("A recording that was exported here or elsewhere, or a network's weights"),
            type=[recordings.SUFFIX[1:], *_WEIGHTS],
            help=tr(
                "safetensors, or what torch.save wrote: a state dict, alone or in a checkpoint. No code in it is run."
            ),
        )
        with frame.errors_in_place():
            if upload is None:
                pass
            elif PurePath(upload.name).suffix == recordings.SUFFIX:
                if st.session_state.get("runs-imported") != upload.file_id:
                    limits.take("imports")
                    run = recordings.add(resources.server().store, upload.getvalue(), upload.name)
                    _taken_in(upload, tr("Imported {run}.", run=frame.plain(label(run))))
            else:
                _weights(upload)
        if upload is not None and st.session_state.get("runs-imported") == upload.file_id:
            st.success(st.session_state["runs-import-notes"], icon=":material/check:")


def _weights(upload: "UploadedFile") -> None:
    name, normalize, data = st.columns(3)
    typed = name.text_input(
        tr("Network"), placeholder=tr("what its shapes say"), help=tr("As resnet-20 or plain-56:shortcut=B")
    )
    normalized = normalize.selectbox(
        tr("Its images were normalised"), _NORMALIZATIONS, format_func=lambda name: told(_NORMALIZATIONS[name])
    )
    images = data.selectbox(tr("Measure it on"), resources.data_choices(), format_func=controls.data_label)
    if not st.button(tr("Take it in"), icon=":material/upload:", type="primary"):
        return
    from explorer import imported, weights  # with torch

    limits.take("imports")
    source = resources.source(images)
    pixels = reading.images(images, "exchange")
    with st.spinner(tr("Matched, then measured on these images …")):
        content = weights.read(upload.getvalue(), upload.name)
        location = str(source.path or source.kind)
        store = resources.server().store
        run, report = imported.take_in(store, content, pixels, location, typed.strip() or None, normalized)
    count = len(report.pairs)
    if report.how == "names":
        matched = tr("**{run}**: {count} tensors matched by names.", run=frame.plain(label(run)), count=count)
    else:
        matched = tr("**{run}**: {count} tensors matched by structure.", run=frame.plain(label(run)), count=count)
    _taken_in(upload, "  \n".join([matched, *map(frame.plain, report.notes)]))


def _taken_in(upload: "UploadedFile", notes: str) -> None:
    """The table above shows the new run; what is to be said of it stays with the upload."""
    st.session_state["runs-imported"], st.session_state["runs-import-notes"] = upload.file_id, notes
    st.rerun()
