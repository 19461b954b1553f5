"""Several images on one slide: chosen one after the other, with the networks and methods of the page."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.language import tr
from explorer.plots import sheet
from explorer.plots.attribution_files import slide
from explorer.records import Attribution
from explorer.ui.attribution_answer import Found, answer
from explorer.ui.attribution_case import Case, case
from explorer.ui.attribution_download import slide_downloads
from explorer.ui.attribution_images import Chosen
from explorer.ui.attribution_question import Question

_IMAGES = "attributions-slide"
_MOST = 6  # rows that fit on a slide


def add(chosen: Chosen) -> None:
    """A button that puts the image on the slide."""
    there: list[Chosen] = st.session_state.setdefault(_IMAGES, [])
    full, on_it = len(there) >= _MOST, any(_same(one, chosen) for one in there)
    help = tr("The image is on the slide.") if on_it else tr("Up to {count} images.", count=_MOST)
    icon = ":material/add_photo_alternate:"
    if st.button(tr("Add to slide"), icon=icon, help=help, disabled=full or on_it, key="attributions-slide-add"):
        there.append(chosen)
        st.rerun()


def panel(now: Case) -> None:
    """The slide so far, asked the same as `now`, if there are images on it."""
    there: list[Chosen] = st.session_state.get(_IMAGES, [])
    if not there:
        return
    with st.expander(tr("Slide with {count} of {most} images", count=len(there), most=_MOST), expanded=True):
        cases = [case(one, now.subjects, _of_this(now, one), now.classes) for one in there]
        wanted = [row for one in cases for row in one.wanted]
        found = answer(wanted, lambda maps: _draw(cases, maps), "attributions-slide-answer")
        with st.container(horizontal=True):
            if found is not None:
                slide_downloads([one.comparison(maps) for one, maps in _by_case(cases, found)])
            with st.popover(tr("Empty it"), icon=":material/delete:"):
                st.markdown(tr("All {count} images leave the slide.", count=len(there)))
                if st.button(tr("Empty it"), type="primary", key="attributions-slide-empty"):
                    st.session_state[_IMAGES] = []
                    st.rerun()


def _of_this(now: Case, chosen: Chosen) -> Question:
    """The question for another image: where its own class is asked for, that, or what each predicts."""
    return replace(now.asked, target=chosen.label) if now.asked.of_label else now.asked


def _draw(cases: Sequence[Case], found: Found) -> None:
    drawn = sheet.svg(slide([one.comparison(maps) for one, maps in _by_case(cases, found)]))
    st.image(drawn, width="stretch")


def _by_case(cases: Sequence[Case], found: Found) -> list[tuple[Case, list[list[Attribution]]]]:
    networks = len(cases[0].subjects)
    return [(one, found[index * networks : (index + 1) * networks]) for index, one in enumerate(cases)]


def _same(first: Chosen, second: Chosen) -> bool:
    return first.name == second.name and first.pixels.tobytes() == second.pixels.tobytes()
