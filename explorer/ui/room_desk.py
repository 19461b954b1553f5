"""The presenter's desk: whatever it shows, all see; what only the presenter may do stands here and nowhere else."""

from collections.abc import Callable

import streamlit as st

from explorer.errors import RequestError
from explorer.language import later, told, tr
from explorer.room import Room
from explorer.shown import CODE, EXPERIMENT, LESSON, POLL, RUNS, Shown
from explorer.ui import (
    error_chart,
    frame,
    invitation,
    lesson,
    membership,
    present,
    resources,
    room_experiment,
    room_poll,
    room_watch,
    server,
    sitemap,
)  # fmt: skip
from explorer.ui.runs import newest_together

_KINDS = {CODE: later("The code"), LESSON: later("Lesson"), EXPERIMENT: later("Experiment"), RUNS: later("Training")}


def draw(signed: str) -> None:
    """What is shown to all, with what changes it."""
    house = resources.rooms()
    try:
        standing = house.standing(signed)
        room = house.room(signed)
    except RequestError as error:
        st.title(tr("Room"), anchor=False)
        st.info(frame.plain(str(error)))
        membership.leave()
        return
    room_watch.watch(signed, server.standing_url(), standing)
    _head(signed, room)
    bodies: dict[str, Callable[[str, Room], None]] = {
        CODE: _code, LESSON: _lesson, POLL: _lesson, EXPERIMENT: _experiment, RUNS: _runs,
    }  # fmt: skip
    with frame.errors_in_place():
        bodies[room.shown.kind](signed, room)


def _head(signed: str, room: Room) -> None:
    """What to show, who is here, and the way to end it."""
    now = LESSON if room.shown.kind == POLL else room.shown.kind
    with st.container(key="room-head", horizontal=True, vertical_alignment="center"):
        if st.session_state.get("room-kind") != now:
            st.session_state["room-kind"] = now
        chosen = st.segmented_control(
            tr("Shown to all"), list(_KINDS), required=True, key="room-kind", label_visibility="collapsed",
            format_func=lambda kind: told(_KINDS[kind]), on_change=_switch, args=(signed,),
        )  # fmt: skip
        assert chosen == now
        if now == LESSON:
            _turning(signed, room)
        st.html(f'<p class="rx-here"><b>{room.code}</b> · {tr("{count} here", count=room.here)}</p>')
        with st.popover(tr("Room"), icon=":material/settings:"):
            _settings(signed, room)


def _switch(signed: str) -> None:
    house, kind = resources.rooms(), st.session_state["room-kind"]
    if kind == LESSON:
        _show_screen(signed, *lesson.screens()[st.session_state.get("room-screen", 0)])
    elif kind == RUNS:
        house.show(signed, Shown(RUNS, " ".join(run.run for run in newest_together(resources.server().store.runs()))))
    else:
        house.show(signed, Shown(kind))


def _settings(signed: str, room: Room) -> None:
    if room.names:
        st.markdown(frame.plain(", ".join(room.names)))
    if not present.presenting():  # it would stand on the wall
        st.caption(tr("Your own link, for another device. Who has it presents; it holds for 12 hours."))
        st.code(invitation.address(f"{sitemap.entry('room').name}?key={signed}"), language=None, wrap_lines=True)
    sure = st.checkbox(tr("Everybody leaves; votes and names go for good"), key="room-close-sure")
    if st.button(tr("Close the room"), icon=":material/logout:", key="room-close", disabled=not sure):
        resources.rooms().close(signed)
        membership.leave()
        st.rerun()


def _code(signed: str, room: Room) -> None:
    st.title(tr("Work through it together"), anchor=False)
    invitation.draw(room.code)


def _lesson(signed: str, room: Room) -> None:
    """One screen of the lesson; a question is asked of all."""
    name, what = lesson.screens()[_at(room)]
    step = lesson.step(name)
    assert step
    if room.shown.kind == POLL:
        with st.container(key="words"):
            room_poll.asking(step, signed, room.here)
    else:
        lesson.draw(step, what, None)


def _turning(signed: str, room: Room) -> None:
    """Back, where, on; the arrow keys and a clicker do the same."""
    screens = lesson.screens()
    at = _at(room)
    st.session_state["room-screen"] = at
    with st.container(key="room-turning", horizontal=True, vertical_alignment="center", width="content"):
        for name, label, shortcut, to in (("back", "‹", "Left", at - 1), ("next", "›", "Right", at + 1)):
            if st.button(label, shortcut=shortcut, key=f"lesson-{name}", disabled=not 0 <= to < len(screens)):
                _show_screen(signed, *screens[to])
                st.rerun()
        st.html(f"{at + 1} / {len(screens)}")


def _at(room: Room) -> int:
    """Which screen of the lesson is shown; the first if none is."""
    what = lesson.SAY if room.shown.kind == POLL else room.shown.screen
    screens = lesson.screens()
    return screens.index((room.shown.name, what)) if (room.shown.name, what) in screens else 0


def _show_screen(signed: str, name: str, what: str) -> None:
    """To all; where the step asks something, as a poll."""
    step = lesson.step(name)
    assert step
    if what == lesson.SAY and step.question:
        resources.rooms().ask(signed, name, list(step.question.choices))
    else:
        resources.rooms().show(signed, Shown(LESSON, name, what))


def _experiment(signed: str, room: Room) -> None:
    if room.experiment is None:
        st.title(tr("One experiment, a part for everybody"), anchor=False)
        room_experiment.setting_up(signed)
        return
    st.title(room_experiment.title(room.experiment), anchor=False)
    with st.container(key="screen"):
        room_experiment.found_out(room, room.experiment)
        room_experiment.board(room, room.experiment)
    if not present.presenting():
        with st.expander(tr("Another experiment")):
            room_experiment.setting_up(signed)


def _runs(signed: str, room: Room) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(tr("Show the newest"), icon=":material/refresh:", key="room-newest"):
            _switch(signed)
            st.rerun()
        sitemap.link("degradation")
    trainings(room.shown.name)  # last: in presenter mode the chart takes what height is left


def trainings(names: str) -> None:
    """Trainings that the presenter shows, by their identities, as they stand."""
    found = [run for run in map(resources.server().store.get, names.split()) if run]
    st.title(tr("What is being trained"), anchor=False)
    if not found:
        st.info(tr("Nothing has been trained here yet."))
        return
    with st.container(key="screen"):
        error_chart.draw(found, [], key="room-runs")
