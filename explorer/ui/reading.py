"""Images that a page needs: at once if they were decoded before; the first time with how far that is, and a stop."""

from typing import TYPE_CHECKING

import streamlit as st

from explorer.engines.errands import Errand, wait
from explorer.errors import RequestError
from explorer.language import tr
from explorer.runs import Run
from explorer.ui import resources, sentences

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet

_TICK_SECONDS = 0.3


def images_of(run: Run, key: str) -> "ImageSet":
    """The images that a run was trained on, or CIFAR-10 in another encoding; refused if they are not here."""
    return images(resources.data_of(run), key)


def images(data: str, key: str) -> "ImageSet":
    """All images of a source. Raises RequestError where the visitor has stopped the reading, and offers to begin it.

    It goes on for those who still wait for it, and ends with the last of them.
    """
    stopped = f"{key}-reading-stopped"
    if st.session_state.get(stopped):
        st.button(
            tr("Read the images"),
            icon=":material/play_arrow:",
            key=f"{key}-reading-again",
            on_click=st.session_state.pop,
            args=(stopped,),
        )
        raise RequestError(tr("Reading the images was stopped."))
    errand = resources.reading(data)
    if not wait([errand], _TICK_SECONDS):
        errand = _followed(data, st.empty(), stopped, key)
    found: ImageSet = errand.value()
    return found


def _followed(data: str, place: "st.delta_generator.DeltaGenerator", stopped: str, key: str) -> Errand:
    """The errand when it is done; until then its progress, and a button that ends this script run."""
    waiting = place.container()
    shown = waiting.empty()
    waiting.button(
        tr("Stop"),
        icon=":material/stop:",
        key=f"{key}-reading-stop",
        on_click=st.session_state.update,
        args=({stopped: True},),
    )
    while not wait([errand := resources.reading(data)], _TICK_SECONDS):
        left = sentences.duration(errand.remaining)
        shown.progress(errand.share, text=tr("Reading the images, once for all: about {time} left", time=left))
    place.empty()
    return errand
