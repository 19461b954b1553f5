"""The maps as they come: drawn as far as they are there, with how far the others are, and a button that stops them."""

from collections.abc import Callable, Sequence

import streamlit as st

from explorer.engines.errands import Errand, wait
from explorer.language import tr
from explorer.records import Attribution
from explorer.ui import frame, membership, resources, sentences
from explorer.ui.attribution_maps import Wanted, question_of

_AT_ONCE_SECONDS = 1.0  # what is there by then is drawn without showing progress first
_TICK_SECONDS = 1.0

Found = list[list[Attribution]]
"""For each network the maps that are there."""


def answer(wanted: Sequence[Sequence[Wanted]], draw: Callable[[Found], None], key: str) -> Found | None:
    """Have the maps made and `draw` what is there; when no more come, what there is, else None."""
    stopped = st.session_state.get(f"{key}-stopped") == question_of(wanted)
    errands = [one for row in _errands(wanted, stopped) for one in row if one]
    with st.spinner(tr("Explaining …")):
        active = not stopped and not wait(errands, _AT_ONCE_SECONDS)
    st.fragment(_follow, run_every=_TICK_SECONDS if active else None, key=key)(wanted, draw, key, active)
    return None if active else _found(_errands(wanted, stopped), told=False)


def _follow(wanted: Sequence[Sequence[Wanted]], draw: Callable[[Found], None], key: str, was_active: bool) -> None:
    stopped = st.session_state.get(f"{key}-stopped") == question_of(wanted)
    errands = _errands(wanted, stopped)
    asked = [one for row in errands for one in row if one]
    waits = not stopped and not all(one.done for one in asked)
    if was_active and not waits:
        st.rerun()  # once, to stop the clock and draw what stands below
    if stopped:
        _stopped(sum(one.done for one in asked), sum(map(len, wanted)), key)
    elif waits:
        _progress(asked, wanted, key)
    draw(_found(errands, told=True))


def _progress(errands: Sequence[Errand], wanted: Sequence[Sequence[Wanted]], key: str) -> None:
    whole = sum(one.seconds for one in errands)
    done = sum(one.seconds * one.share for one in errands) / whole
    left = sum(one.remaining for one in errands)
    counts = {"done": sum(one.done for one in errands), "count": len(errands)}
    if left > 0:
        said = tr("{done} of {count} maps, about {time} left", time=sentences.duration(left), **counts)
    else:  # integrated gradients, where the network bends much
        said = tr("{done} of {count} maps, the last takes longer than usual", **counts)
    bar, button = st.columns([5, 2], vertical_alignment="center")
    bar.progress(min(1.0, done), text=said)
    if button.button(tr("Stop"), icon=":material/stop:", key=f"{key}-stop", width="stretch"):
        resources.errands().drop(errands, membership.visit())
        st.session_state[f"{key}-stopped"] = question_of(wanted)
        st.rerun()


def _stopped(done: int, of: int, key: str) -> None:
    said, button = st.columns([5, 2], vertical_alignment="center")
    said.caption(tr("Stopped: {done} of {count} maps are there.", done=done, count=of))
    if button.button(tr("Go on"), icon=":material/play_arrow:", key=f"{key}-go-on", width="stretch"):
        del st.session_state[f"{key}-stopped"]
        st.rerun()


def _errands(wanted: Sequence[Sequence[Wanted]], stopped: bool) -> list[list[Errand | None]]:
    """Asked for, or only looked up."""
    known = resources.errands()
    return [[known.get(one.key) if stopped else one.ask() for one in row] for row in wanted]


def _found(errands: Sequence[Sequence[Errand | None]], told: bool) -> Found:
    """The maps that are there; why others cannot be made is said in their place, if it is to be `told`."""
    found: Found = []
    for row in errands:
        found.append([one.result for one in row if one and one.done and one.error is None])
        failed = [one for one in row if one and one.error is not None]
        for one in failed if told else ():
            with frame.errors_in_place():
                one.value()
    return found
