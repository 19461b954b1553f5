"""A question of the lesson, asked of a room: a visitor's answers, the presenter's count, and how the votes fell."""

import streamlit as st

from explorer.language import language, told, tr
from explorer.plots.poll import alternative_text, vote_bars
from explorer.room import Poll
from explorer.ui import lesson, present, resources
from explorer.ui.live_plot import live_plot

_HEIGHT = 210


def answering(step: lesson.Step, signed: str) -> None:
    """A visitor's page: one question, one answer, changed until the answers are revealed."""
    house, question = resources.rooms(), step.question
    poll = house.poll(signed, step.name)
    if question is None or poll is None:
        return
    _said(step)
    if poll.revealed:
        _revealed(question, poll)
        return
    for choice, words in question.choices.items():
        chosen = choice == poll.mine
        if st.button(
            told(words), key=f"room-vote-{step.name}-{choice}", width="stretch",
            type="primary" if chosen else "secondary", icon=":material/check:" if chosen else None,
        ):  # fmt: skip
            house.vote(signed, step.name, choice)
            st.rerun()
    st.caption(
        tr("Your answer counts. You can change it until the answers are shown.")
        if poll.mine
        else tr("One answer each; nobody sees whose it is.")
    )


def asking(step: lesson.Step, signed: str, here: int) -> None:
    """The presenter's page: the question, how many have answered, how, and the button that shows it to all.

    On a projector the bars come with the reveal, or the first votes would draw the others.
    """
    house, question = resources.rooms(), step.question
    poll = house.poll(signed, step.name)
    if question is None or poll is None or poll.counts is None:
        return
    _said(step)
    if poll.revealed:
        _revealed(question, poll)
        return
    count, button = st.columns([3, 2], vertical_alignment="center")
    count.markdown(tr("**{votes}** of {here} have answered", votes=poll.votes, here=max(here, poll.votes)))
    if button.button(tr("Show the answers"), type="primary", key="room-reveal", width="stretch"):
        house.reveal(signed, step.name)
        st.rerun()
    if present.presenting():
        st.markdown(" · ".join(told(words) for words in question.choices.values()))
    else:
        _bars(question, poll)


def _said(step: lesson.Step) -> None:
    assert step.question
    title, body = lesson.text(step.name, language())
    st.title(title, anchor=False)
    st.markdown(body.partition("\n\n")[0])
    st.markdown(f"**{told(step.question.asked)}**")


def _revealed(question: lesson.Question, poll: Poll) -> None:
    _bars(question, poll)
    if poll.mine:
        st.caption(tr("Your answer: {answer}", answer=told(question.choices[poll.mine])))


def _bars(question: lesson.Question, poll: Poll) -> None:
    counts = {told(question.choices[choice]): count for choice, count in (poll.counts or {}).items()}
    live_plot(vote_bars(counts), key="room-votes", height=_HEIGHT, alt=alternative_text(counts))
