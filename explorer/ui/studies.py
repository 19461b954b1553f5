"""Studies on a page: one press that says how long it takes, progress with what remains, and stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.data import sources
from explorer.engines.studies import DONE, FAILED, RUNNING, Study
from explorer.language import tr
from explorer.records import Provenance
from explorer.runs import Run
from explorer.ui import controls, frame, membership, resources, sentences
from explorer.ui.names import label as run_label
from explorer.ui.runs import deepest, most_trained

_TICK_SECONDS = 1.0
Found = Sequence[Study | None]
"""Of each study that was asked for, how far it is."""


@dataclass(frozen=True)
class Asked:
    """A study of one run, or of images alone."""

    run: Run | None
    """None where it is of the images that the server was started with."""
    arguments: list[str]
    """Of its command, but for where the images are."""
    seconds: float
    """How long it takes, about."""


def pair(choices: Sequence[Run], key: str) -> tuple[list[Run], DeltaGenerator]:
    """Two networks to choose, one if both are the same, and the room beside them for a button.

    At first the deepest plain and the deepest residual one of those that most work went into.
    """
    left, right, button = st.columns([3, 3, 2], vertical_alignment="bottom")
    usual = most_trained([run for run in choices if run.config.seed == 0] or choices)
    with left:
        first = controls.one_run(tr("First network"), choices, deepest(usual, "plain"), key=f"{key}-first")
    with right:
        second = controls.one_run(tr("Second network"), choices, deepest(usual, "resnet"), key=f"{key}-second")
    return [first] if first.run == second.run else [first, second], button


def press(asked: Sequence[Asked], label: str, icon: str, key: str) -> None:
    """A button that starts what is not there yet, with an estimate, or stops what is being made for who presses it.

    What is being made for others alone can be wanted, too: then it goes on when they stop it.
    """
    studies = resources.studies()
    found = _found(asked)
    under_way = [one for one, study in zip(asked, found, strict=True) if study and study.state == RUNNING]
    if any(_given_up(one) for one in under_way):
        if st.button(tr("Stop"), icon=":material/stop:", key=f"{key}-stop", width="stretch"):
            with frame.errors_in_place():
                for one in filter(_given_up, under_way):
                    stop(one)
                st.rerun()
        return
    if under_way:
        if st.button(tr("I want it, too"), icon=":material/pan_tool:", key=f"{key}-join", width="stretch"):
            for one in under_way:
                studies.start(one.arguments, location(one.run), _me())
            st.rerun()
        return
    missing = [one for one, study in zip(asked, found, strict=True) if not study or study.state != DONE]
    if missing:
        takes = tr("about {time}", time=sentences.duration(sum(one.seconds for one in missing)))
        if st.button(f"{label} · {takes}", type="primary", icon=icon, key=f"{key}-start", width="stretch"):
            with frame.errors_in_place():
                for one in missing:
                    studies.start(one.arguments, location(one.run), _me())
                st.rerun()


def stop(asked: Asked) -> None:
    """This visitor wants it no longer. Raises RequestError where it is being made for others alone."""
    resources.studies().stop(asked.arguments, _given_up(asked) or {_me()})


def done(asked: Sequence[Asked]) -> bool:
    """Whether all of them are there."""
    return all(study and study.state == DONE for study in _found(asked))


def follow(asked: Sequence[Asked], draw: Callable[[Found], None], key: str) -> None:
    """What has been found so far, drawn again while studies are being made."""
    active = _active(_found(asked))
    st.fragment(_follow, run_every=_TICK_SECONDS if active else None, key=key)(asked, draw, active)


def _follow(asked: Sequence[Asked], draw: Callable[[Found], None], was_active: bool) -> None:
    found = _found(asked)
    if was_active and not _active(found):
        st.rerun()  # once, to stop the clock
    draw(found)
    running = [study for study in found if study and study.state == RUNNING]
    if running:
        left = [study.remaining for study in running if study.remaining is not None]
        if left:
            said = tr("Measuring: about {time} left", time=sentences.duration(max(left)))
        else:
            said = tr("Measuring: starting")
        st.progress(sum(study.share for study in running) / len(running), text=said)
        if not any(map(_given_up, asked)):
            st.caption(tr("Another visitor asked for it and alone can stop it; if you want it, too, it goes on then."))
    for one, study in zip(asked, found, strict=True):
        if study and study.state == FAILED:
            st.error(frame.plain(f"{run_label(one.run)}: {study.message}" if one.run else study.message))


def location(run: Run | None) -> str:
    """Where its images are, the server's own for none. Raises RequestError where they are not on this machine."""
    source = resources.source_of(run) if run else resources.source(sources.usual())
    return str(source.path or source.kind)


def badge(found: Found) -> None:
    """Where the numbers come from: of the first study, as they are made alike."""
    done = [study for study in found if study and study.result]
    if done:
        made = Provenance(**(done[0].result or {})["provenance"])
        frame.provenance_badge(replace(made, origin="recorded" if done[0].recorded else made.origin))


def _me() -> str:
    """This visitor, to studies: the room, if in one, and the visit."""
    who = membership.member()
    return f"{who.code if who else ''} {membership.visit()}"


def _given_up(asked: Asked) -> set[str]:
    """Of those who want a study, for whom this visitor may stop it.

    That is for themselves, for who has gone, and as a room's presenter for all who asked from there.
    """
    who = membership.member()
    presented = who.code if who and who.presents else None
    found = set()
    for one in resources.studies().wanted_by(asked.arguments):
        code, _, visit = one.partition(" ")
        if visit == membership.visit() or code == presented or not membership.is_here(visit):
            found.add(one)
    return found


def _found(asked: Sequence[Asked]) -> Found:
    return [resources.studies().get(one.arguments) for one in asked]


def _active(found: Found) -> bool:
    return any(study and study.state == RUNNING for study in found)
