"""An experiment that a room shares: each visitor trains a part, one chart takes all results."""

from dataclasses import dataclass

import streamlit as st

from explorer.data import sources
from explorer.language import language, told, tr, using
from explorer.measurement.sweep import points
from explorer.plots import theme
from explorer.plots.sweep import alternative_text, called, errors_by_factor
from explorer.recipes import RECIPES
from explorer.room import Room
from explorer.runs import ACTIVE, DONE, FAILED, QUEUED, RUNNING, Run
from explorer.shown import MOST_CELLS, Experiment
from explorer.sweep import Results
from explorer.ui import error_chart, frame, live_feed, queue, resources, sentences, sweeps
from explorer.ui.live_plot import watched_plot
from explorer.ui.names import message
from explorer.ui.runs import final, submit

_HEIGHT, _NARROW_HEIGHT = 400, 640
_RECIPE = "brief"


def setting_up(signed: str) -> None:
    """The presenter's form: a factor, its values, the networks, how many seeds."""
    chosen = sweeps.choices("room", "depth")
    seeds = st.columns([2, 8])[0].number_input(
        tr("Seeds"), 1, 10, 3, key="room-seeds",
        help=tr("How often each value is trained, with other random numbers: 1 to 10."),
    )  # fmt: skip
    if chosen is None:
        st.info(tr("Choose at least one network and one value."), icon=":material/info:")
        return
    factor, networks, values = chosen
    cells = len(networks) * len(values) * seeds
    st.caption(
        tr("{cells} trainings of {steps:,} steps, each about as long as a brief race's; at most {most}.",
           cells=cells, steps=RECIPES[_RECIPE].training.steps, most=MOST_CELLS)
    )  # fmt: skip
    if st.button(tr("Share it with the room"), type="primary", key="room-propose", disabled=cells > MOST_CELLS):
        found = resources.source(sources.usual())
        names = tuple(network.name for network in networks)
        place = str(found.path) if found.path else found.kind
        shared = Experiment(_RECIPE, found.name, place, names, factor.name, values, int(seeds))
        resources.rooms().propose(signed, shared)
        st.rerun()


def taking_part(signed: str, room: Room, experiment: Experiment, member: str) -> None:
    """A visitor's page: choose a part, run it, see where it stands, and the chart of all."""
    st.title(title(experiment), anchor=False)
    house, store = resources.rooms(), resources.server().store
    cells = {config.run for config in experiment.sweep.runs}
    mine = [run for run in map(store.get, house.mine(signed)) if run and run.run in cells]
    _standing(mine, experiment)
    taken = house.taken(room.code)
    free = [
        (network, value)
        for value in range(len(experiment.values))
        for network in range(len(experiment.networks))
        if any(config.run not in taken for config in experiment.cells(network, value))
    ]
    if free and not any(run.state in ACTIVE for run in mine):
        _take(signed, experiment, free[int(member, 16) % len(free)], again=bool(mine))
    elif not free:
        st.caption(tr("Every part has been taken."))
    board(room, experiment)


def board(room: Room, experiment: Experiment) -> None:
    """The one chart, drawn once for all who watch, with how many trainings are done."""
    store, spoken = resources.server().store, language()
    runs = [config.run for config in experiment.sweep.runs]

    def version() -> live_feed.Version:
        taken = resources.rooms().taken(room.code)
        return live_feed.Version("shared", repr(store.standing([run for run in runs if run in taken])))

    def picture() -> live_feed.Picture:
        factor = experiment.sweep.factor
        with using(spoken):
            now = progress(room, experiment)
            found = points(now.results, experiment.factor)
            label = told(factor.label)
            figure = errors_by_factor(found, label, factor.scale, experiment.sweep.values, factor.name)
            alt = alternative_text(found, label, factor.name)
            narrow = theme.stacked(figure, _NARROW_HEIGHT)
            return live_feed.Picture(figure, alt, narrow, now.done / now.cells, now.said)

    what = (str(store.folder), room.code, runs, spoken)
    name, feed = live_feed.offer(repr(what), version, picture)
    watched_plot(name, feed, key="room-board", height=_HEIGHT)


@dataclass(frozen=True)
class Progress:
    """How far a room's experiment is."""

    results: Results
    """Of the trainings that have ended."""
    made: Run | None
    """One of them."""
    cells: int
    taken: int
    failed: int

    @property
    def done(self) -> int:
        """How many have ended, well or not."""
        return len(self.results) + self.failed

    @property
    def said(self) -> str:
        """In words."""
        words = tr("{done} of {all} trainings done, {taken} taken", done=self.done, all=self.cells, taken=self.taken)
        return words + (" · " + tr("{count} failed", count=self.failed) if self.failed else "")


def progress(room: Room, experiment: Experiment) -> Progress:
    """What the room has taken and finished of it."""
    taken = resources.rooms().taken(room.code)
    every = experiment.sweep.runs
    runs = [run for config in every if config.run in taken and (run := resources.server().store.get(config.run))]
    ended = [run for run in runs if run.state == DONE]
    results = [(run.config, last) for run in ended if (last := final(run))]
    failed = sum(run.state == FAILED for run in runs)
    active = sum(run.state in ACTIVE for run in runs)
    return Progress(results, ended[0] if ended else None, len(every), active + len(ended) + failed, failed)


def found_out(room: Room, experiment: Experiment) -> None:
    """What the results so far allow to be said."""
    now = progress(room, experiment)
    if now.made and now.made.provenance:
        factor = experiment.sweep.factor
        sweeps.judged(now.results, lambda results: sweeps.pairs(results, factor), sweeps.how(now.results))
        frame.provenance_badge(now.made.provenance)


def title(experiment: Experiment) -> str:
    """What it asks."""
    return tr("What does it do: {factor}?", factor=told(experiment.sweep.factor.label))


def _standing(mine: list[Run], experiment: Experiment) -> None:
    """Where this visitor's newest training stands."""
    if not mine:
        return
    run = mine[0]
    what = f"**{_part(run, experiment)}** · {tr('seed {seed}', seed=run.config.seed)}: "
    if run.state == QUEUED:
        st.info(what + (queue.said([run]) or tr("next in the queue")), icon=":material/hourglass_top:")
    elif run.state == RUNNING:
        st.info(what + tr("is being trained"), icon=":material/model_training:")
    elif run.state == DONE and (last := final(run)):
        st.success(what + tr("errs on {error:.1%} of the test images", error=last.test_error), icon=":material/check:")
    elif run.state == FAILED:
        st.error(what + frame.plain(message(run)))


def _part(run: Run, experiment: Experiment) -> str:
    """A network and its value, as the buttons say them."""
    factor = experiment.sweep.factor
    for network in range(len(experiment.networks)):
        for value, typed in enumerate(experiment.values):
            if run.config in experiment.cells(network, value):
                return f"{_network(experiment, network)}, {told(factor.label)} {typed}"
    return run.config.network.name


def _network(experiment: Experiment, network: int) -> str:
    """What a network is called beside the others: without what all of them share, or will be changed."""
    name = experiment.networks[network].replace(f":width={RECIPES[_RECIPE].width}", "")
    return called(name, experiment.factor)


def _take(signed: str, experiment: Experiment, proposed: tuple[int, int], again: bool) -> None:
    network, value = st.columns(2)
    which = network.segmented_control(
        tr("Network"), range(len(experiment.networks)), default=proposed[0], required=True, key="room-network",
        format_func=lambda one: _network(experiment, one),
    )  # fmt: skip
    at = value.segmented_control(
        told(experiment.sweep.factor.label), range(len(experiment.values)), default=proposed[1], required=True,
        key="room-value", format_func=lambda one: experiment.values[one],
    )  # fmt: skip
    seconds = error_chart.estimate([experiment.cells(which or 0, at or 0)[0]])
    takes = " · " + tr("about {time}", time=sentences.duration(seconds)) if seconds else ""
    label = tr("Run one more") if again else tr("Run it")
    if st.button(label + takes, type="primary", icon=":material/play_arrow:", key="room-run", width="stretch"):
        with frame.errors_in_place():
            submit([resources.rooms().take(signed, which or 0, at or 0)], experiment.location)
            st.rerun()
