"""The page of a room: a door, a visitor's seat, a presenter's desk. What all see is what the desk shows."""

import streamlit as st

from explorer.errors import ExplorerError, RequestError
from explorer.language import tr
from explorer.shown import EXPERIMENT, LESSON, POLL, RUNS
from explorer.ui import (
    frame,
    lesson,
    membership,
    resources,
    room_desk,
    room_experiment,
    room_poll,
    room_watch,
    server,
)  # fmt: skip


def panel() -> None:
    """The door for who is in no room, else what their role sees."""
    try:
        resources.rooms()  # a store that cannot be used is said at the door
        signed = membership.enter()
    except ExplorerError as error:
        _door(error)
        return
    if signed is None:
        _door()
        return
    presents = resources.rooms().look(signed).presents
    st.fragment(room_desk.draw if presents else _seat, key="room")(signed)


def _door(refused: ExplorerError | None = None) -> None:
    """A code to come in with, or a room of one's own."""
    frame.head(tr("Room"), tr("Work through it together"))
    if refused:
        frame.show_error(refused)
    else:
        room_watch.forget()
    come, begin = st.columns(2, gap="large")
    with come, st.form("room-join", border=False):
        st.header(tr("I have a code"), anchor=False)
        typed = st.text_input(
            tr("Code"),
            max_chars=12,
            placeholder="BCDFG",
            key="room-code",
            help=tr("The presenter shows it."),
        )
        if st.form_submit_button(tr("Join"), type="primary", width="stretch"):
            with frame.errors_in_place():
                membership.join(typed)
                st.rerun()
    with begin:
        st.header(tr("I present"), anchor=False)
        st.markdown(
            tr(
                "Others join with a short code, without an account. They see the step that you show, answer its "
                "question, and each trains a part of one experiment. A room ends 12 hours after its last action."
            )
        )
        if st.button(tr("Open a room"), key="room-open", width="stretch"):
            with frame.errors_in_place():
                membership.hold(resources.rooms().open())
                st.query_params.pop("code", None)
                st.rerun()


def _seat(signed: str) -> None:
    """A visitor's page: the one thing that the presenter shows."""
    house = resources.rooms()
    try:
        standing = house.standing(signed)
        room, member = house.room(signed), house.look(signed).member
    except RequestError as error:
        _ended(error)
        return
    room_watch.watch(signed, server.standing_url(), standing)
    shown, step = room.shown, lesson.step(room.shown.name)
    with frame.errors_in_place():
        if shown.kind == POLL and step:
            with st.container(key="words"):
                room_poll.answering(step, signed)
        elif shown.kind == LESSON and step:
            poll = house.poll(signed, step.name)
            lesson.draw(step, shown.screen, poll.mine if poll else None)
        elif shown.kind == EXPERIMENT and room.experiment:
            room_experiment.taking_part(signed, room, room.experiment, member)
        elif shown.kind == RUNS:
            room_desk.trainings(shown.name)
        else:
            st.title(tr("You are in room {code}", code=room.code), anchor=False)
            st.markdown(tr("What the presenter shows will appear here by itself."))
    _foot(signed, room.code)


def _foot(signed: str, code: str) -> None:
    """A name, if one wants one, and the way out."""
    with st.expander(tr("Room {code}", code=code)):
        name, button = st.columns([3, 1], vertical_alignment="bottom")
        said = name.text_input(
            tr("Your name, if you like"), max_chars=24, key="room-name",
            help=tr("The presenter sees it. It goes when you leave, or with the room."),
        )  # fmt: skip
        if said != st.session_state.get("room-named", ""):
            resources.rooms().call(signed, said)
            st.session_state["room-named"] = said
        if button.button(tr("Leave"), key="room-leave", width="stretch"):
            resources.rooms().leave(signed)
            membership.leave()
            st.rerun()


def _ended(error: RequestError) -> None:
    st.title(tr("Room"), anchor=False)
    st.info(frame.plain(str(error)))
    if st.button(tr("To the door"), key="room-ended"):
        membership.leave()
        st.rerun()
