"""The panel of Highway gates: how far they open while a network trains, recorded or trained here."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import mean

import streamlit as st

from explorer import jobs
from explorer.config import NetworkConfig, RunConfig
from explorer.data import sources
from explorer.language import later, told, tr
from explorer.plots import gates as plots
from explorer.plots.gates import Moment
from explorer.recipes import RECIPES
from explorer.records import EvaluationRecord
from explorer.runs import ACTIVE, DONE, FAILED, Run
from explorer.ui import address, controls, error_chart, frame, queue, resources, sentences
from explorer.ui.live_plot import live_plot
from explorer.ui.names import label, message
from explorer.ui.runs import records, stop_runs, submit

_DEPTH, _RECIPE, _CHOSEN = 20, "brief", "gates-run"
_TICK_SECONDS = 1.0
_HEIGHT = 340
_ABOUT = later(
    "What you are looking at: in a Highway network y = T(x)·H(x) + (1 − T(x))·x, where H are the layers and T, between "
    "0 and 1, is a gate: at 0 the input is carried on, at 1 only the layers count and the shortcut is closed. Section "
    "2, *Shortcut Connections* (references 42, 43: Srivastava, Greff and Schmidhuber 2015), names what differs: these "
    "gates have parameters and depend on the data, and when the shortcut closes the layers are no longer residual; an "
    "identity shortcut has no parameters and never closes. The networks are concurrent work, not something ResNet was "
    "built on. Here a gate stands beside two 3×3 layers and is a 1×1 convolution with a bias, as He et al. (2016) have "
    "it, measured in evaluation mode on clean training images; the original gates every layer. What gates become in a "
    "brief training says nothing about which network is better in the end."
)


def panel() -> None:
    """A Highway network and a moment of its training; below it, one to train here."""
    st.header(tr("What do gates do that an identity shortcut does not?"), anchor=False)
    gated = [run for run in resources.catalogue().runs() if run.config.network.shortcut == "gate"]
    choices = [run for run in gated if run.state in ACTIVE or _moments(run)]
    shown = st.container()
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
    with right:
        _train_here()
    if choices:
        first = _first(choices)
        with left:
            ordered = [first, *(run for run in choices if run is not first)]
            run = controls.one_run(tr("Network"), ordered, first, key=_CHOSEN)
        with shown:
            _follow(run)
    else:
        shown.info(tr("No Highway network has been trained yet: train one below."), icon=":material/info:")
    st.caption(told(_ABOUT))


def _follow(run: Run) -> None:
    """What is known of a run: while it trains the last moment, redrawn; else any moment."""
    if run.state in ACTIVE:
        st.fragment(_live, run_every=_TICK_SECONDS, key="gates-live")(run)
    else:
        controls.playing(partial(_at_a_moment, run), key="gates-share")


def _live(run: Run) -> None:
    now = resources.server().store.get(run.run)
    if now is None or now.state not in ACTIVE:
        st.rerun()  # once, to stop the clock
        return
    store = resources.server().store
    left = jobs.remaining(store, [now])
    going = tr("about {time} left", time=sentences.duration(left)) if left else tr("starting …")
    st.progress(min(jobs.progress(store, [now]).done, 1.0), text=queue.said([now]) or going)
    if _moments(now):
        _draw(now, 1.0)


def _at_a_moment(run: Run) -> None:
    with st.columns([1, 1])[0]:
        share = controls.moment("gates-share")
    _draw(run, share)


def _draw(run: Run, share: float) -> None:
    moments = _moments(run)
    now = min(moments, key=lambda moment: abs(moment.step - share * run.config.training.steps))
    frame.finding(_sentences(run.config.network, now, moments[0]), _basis(run, now))
    if run.provenance:
        frame.provenance_badge(replace(run.provenance, seconds=0))
    left, right = st.columns(2)
    with left:
        figure = plots.openness(now, moments[0])
        live_plot(figure, key="gates-now", height=_HEIGHT, alt=plots.openness_text(now, moments[0]))
    with right:
        if len(moments) > 1:
            live_plot(plots.course(moments, now), key="gates-course", height=_HEIGHT, alt=plots.course_text(moments))


def _sentences(network: NetworkConfig, now: Moment, start: Moment) -> list[str]:
    gates = now.gates
    least, most = min(gates, key=lambda gate: gate.mean), max(gates, key=lambda gate: gate.mean)
    own, all_parameters = _parameters(network)
    moved, block = max(
        (abs(gate.mean - first.mean), gate.block) for gate, first in zip(gates, start.gates, strict=True)
    )
    opened = tr(
        "**They decide how much is carried on:** T is {mean:.2f} on average after {step:,} steps, {start:.2f} before "
        "the first; from {low:.2f} in {least} to {high:.2f} in {most}. It moved most in {block}, by {moved:.2f}.",
        block=block, moved=moved,
        mean=mean(gate.mean for gate in gates), step=now.step, start=mean(gate.mean for gate in start.gates),
        low=least.mean, least=least.block, high=most.mean, most=most.block,
    )  # fmt: skip
    looks = tr(
        "**They look at the data:** within a channel T varies by ±{spread:.2f} over images and places (±{first:.2f} "
        "before the first step). **They cost parameters:** {own:,} of {all:,} ({share:.1%}); identity shortcuts none.",
        first=mean(gate.by_data for gate in start.gates), spread=mean(gate.by_data for gate in gates), own=own,
        all=all_parameters, share=own / all_parameters,
    )  # fmt: skip
    shut = max(gates, key=lambda gate: gate.shut)
    if shut.shut >= 0.0005:
        closes = tr(
            "**They can close the shortcut:** {all:.1%} of all values of T are above 0.9, in {block} {most:.1%}: there "
            "less than a tenth of the input gets through.",
            all=mean(gate.shut for gate in gates), block=shut.block, most=shut.shut,
        )  # fmt: skip
    else:
        closes = tr("**They could close the shortcut**, but here they do not: hardly a value of T is above 0.9.")
    return [opened, looks, closes]


def _basis(run: Run, now: Moment) -> str:
    return tr(
        "{network}, step {step:,} of {steps:,}; moments measured: {moments}. T = 0 carries the input on, T = 1 "
        "closes the shortcut.",
        network=label(run), step=now.step, steps=run.config.training.steps, moments=len(_moments(run)),
    )  # fmt: skip


def _parameters(network: NetworkConfig) -> tuple[int, int]:
    """Of the gates, and of the whole network."""
    from explorer.summary import summary

    outline = summary(network)
    gates = sum(
        layer.parameters * len(block.names)
        for stage in outline.stages
        for block in stage.blocks
        for path in block.paths
        if path.kind == "gate"
        for layer in path.layers
    )
    return gates, outline.parameters


def _moments(run: Run) -> list[Moment]:
    return [
        Moment(record.step, record.gates)
        for record in records(run)
        if isinstance(record, EvaluationRecord) and record.gates
    ]


def _first(choices: Sequence[Run]) -> Run:
    """What trains now, else what was last trained here, else the longest recording."""
    own = [run for run in choices if run.created]
    training = [run for run in own if run.state in ACTIVE]
    return next(iter(training or own), None) or max(choices, key=lambda run: run.config.training.steps)


def _train_here() -> None:
    """A brief Highway network whose gates start from a bias of choice."""
    left, right = st.columns(2, vertical_alignment="bottom")
    with address.kept("gates-bias", -2.0, [float(bias) for bias in range(-4, 3)]):
        bias = left.slider(
            tr("Bias that the gates start from"), -4.0, 2.0, step=1.0, key="gates-bias",
            help=tr("T starts near σ(bias): below 0 gates begin nearly closed to the layers and carry their input on."),
        )  # fmt: skip
    recipe, data = RECIPES[_RECIPE], sources.usual()
    network = NetworkConfig(_DEPTH, "gate", width=recipe.width, gate_bias=bias)
    with right, frame.errors_in_place():
        source = resources.source(data)
        config = RunConfig(network, recipe.training_for(network), source.name, 0)
        run = resources.server().store.get(config.run)
        if run and run.state in ACTIVE:
            if st.button(tr("Stop"), icon=":material/stop:", key="gates-stop", width="stretch"):
                stop_runs([run.run])
                st.rerun()
            return
        if run and run.state == FAILED:
            st.error(frame.plain(f"{label(run)}: {message(run)}"))
        seconds = error_chart.estimate([config])
        takes = " · " + tr("about {time}", time=sentences.duration(seconds)) if seconds else ""
        st.button(
            tr("Train it here") + takes,
            icon=":material/play_arrow:", type="primary", key="gates-start", width="stretch",
            disabled=bool(run and run.state == DONE), on_click=_start, args=(config, str(source.path or source.kind)),
        )  # fmt: skip


def _start(config: RunConfig, location: str) -> None:
    """Queue the run, and look at it."""
    with frame.errors_in_place():
        submit([config], location)
        st.session_state[_CHOSEN] = config.run
