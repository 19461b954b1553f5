"""The panel of a race: its curves, verdict, progress and stop, on its own clock."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.config import RunConfig
from explorer.data.source import told_description
from explorer.language import later, told, tr
from explorer.measurement.verdict import Gap, verdict
from explorer.race import Race
from explorer.recipes import RECIPES, is_papers
from explorer.records import Provenance
from explorer.runs import ACTIVE, DONE, FAILED, PAUSED, Run
from explorer.ui import error_chart, frame, resources, sentences
from explorer.ui.runs import final, most_trained, pause_runs, resume_runs, stop_runs, submit

QUESTION = later("Is learning better networks as easy as stacking more layers?")

_LONG = RECIPES["paper"].training.steps
_TO_THE_END = later(
    "Deep networks want long training: in the paper's Table 6, after 64,000 steps, ResNet-56 errs on 6.97 % of the "
    "test images and ResNet-20 on 8.75 %."
)


def panel(race: Race) -> None:
    """The race as it stands; while something trains its chart keeps itself new."""
    active = any(run.state in ACTIVE for run in _live(race))
    st.fragment(_race, key="race")(race, active)


def has_begun(race: Race) -> bool:
    """Whether this server has runs of its own to show of the race."""
    return bool(_live(race))


def opening(race: Race) -> str:
    """What `panel` shows before the race was begun, as HTML: the sentences and the recorded curves."""
    runs = _first(race)
    made = _made(runs)
    return (
        frame.finding_html(*_said(runs, race)) + (frame.provenance_html(made) if made else "") + error_chart.still(runs)
    )


def start_or_stop(race: Race, location: str) -> None:
    """The one button: it starts the next seed and says how long that takes, or goes on; pause and stop what trains."""
    live = _live(race)
    active = [run.run for run in live if run.state in ACTIVE]
    paused = [run.run for run in live if run.state == PAUSED]
    if active:
        stop, pause = st.columns(2, gap="small")
        if stop.button(tr("Stop"), icon=":material/stop:", key="race-stop", width="stretch"):
            stop_runs(active)
            st.rerun()
        if pause.button(tr("Pause"), icon=":material/pause:", key="race-pause", width="stretch"):
            pause_runs(active)
            st.rerun()
        return
    if paused:
        if st.button(tr("Go on"), type="primary", icon=":material/play_arrow:", key="race-resume", width="stretch"):
            resume_runs(paused)
            st.rerun()
        return
    seed = _next_seed(race, live)
    done = {run.run for run in live if run.state == DONE}
    configs = [config for config in replace(race, seeds=(seed,)).runs if config.run not in done]
    seconds = error_chart.estimate(configs)
    label = tr("Run seed {seed} too", seed=seed) if seed else tr("Run it here")
    takes = " · " + tr("about {time}", time=sentences.duration(seconds)) if seconds else ""
    if st.button(label + takes, type="primary", icon=":material/play_arrow:", key="race-start", width="stretch"):
        submit(configs, location)
        st.rerun()


def _race(race: Race, was_active: bool) -> None:
    live = _live(race)
    active = any(run.state in ACTIVE for run in live)
    if was_active and not active:
        st.rerun()  # once: the buttons beside the chart change too
    recorded = _recorded(race, exact=True) if live else _first(race)
    shown = live or recorded
    frame.finding(*_said(shown, race))
    if made := _made(shown):
        frame.provenance_badge(made)
    behind = [] if live and not active and _gaps(live, race) else recorded
    error_chart.draw(live, behind, key="race-curves", steps=race.recipe.training.steps)


def _said(runs: Sequence[Run], race: Race) -> tuple[list[str], str]:
    """The sentences that the finished runs allow, while none are, what is shown and why; and what they rest on."""
    gaps = _gaps(runs, race)
    if gaps:
        said = sentences.verdict_sentences(gaps)
        basis = sentences.basis(gaps)
    elif not runs:
        said = [tr("Nothing has been measured for this choice yet.")]
        basis = tr("Run it here: four networks will be trained on this machine.")
    else:
        ends = {"shallow": race.depths[0], "deep": race.depths[-1]}
        if any(run.state in ACTIVE for run in runs):
            said = [tr("Training {shallow} and {deep} layers, plain and residual …", **ends)]
        elif any(run.state == PAUSED for run in runs):
            said = [tr("Paused: {shallow} and {deep} layers, plain and residual …", **ends)]
        else:
            said = [tr("Of {shallow} and {deep} layers, plain and residual, not all have been trained here.", **ends)]
        basis = tr("The verdict comes when a shallow and a deep network have finished; faint: recorded.")
    return said, basis + (" " + _what(runs) if runs else "")


def _made(runs: Sequence[Run]) -> Provenance | None:
    """Where and when they were made, without how long it took: each run took its own time, the page Runs has them."""
    found = next((run.provenance for run in runs if run.provenance), None)
    return replace(found, seconds=0) if found else None


def _what(runs: Sequence[Run]) -> str:
    run = runs[0]
    training = run.config.training
    data = told_description(run.provenance.data) if run.provenance else run.config.data
    images = tr("{count:,} images", count=training.train_images) if training.train_images else tr("all images")
    recorded = run.provenance and run.provenance.origin == "recorded"
    made = tr("Recorded with {depths}:", depths=_depths(runs)) + " " if recorded else ""
    size = f"{training.image_size}×{training.image_size}"
    width = run.config.network.width
    narrow = "" if width == 16 else tr(", {width} channels wide where the paper's are 16", width=width)
    how = tr("{steps:,} steps, {images} at {size} pixels", steps=training.steps, images=images, size=size)
    return f"{made}{how}{narrow}. {data}."


def caution(race: Race) -> None:
    """What a short run does not show, and the longest recording there is; nothing while something trains."""
    live = _live(race)
    recorded = _first(race)
    shown = live or recorded
    if not shown or any(run.state in ACTIVE for run in live):
        return
    steps, gaps = shown[0].config.training.steps, _gaps(shown, race)
    said = ""
    if "resnet" in gaps and gaps["resnet"].degrades:
        behind = tr(
            "After {steps:,} steps the {deep}-layer residual network has not caught up yet.",
            steps=steps, deep=gaps["resnet"].deep,
        )  # fmt: skip
        said = f"{behind} {told(_TO_THE_END)} "
    elif not live and is_papers(shown[0].config.training) and steps < _LONG:
        said = tr(
            "The paper trains for {long:,} steps; these had {steps:,}, the drops of the rate scaled. "
            "Grey: where the paper's networks end.",
            long=_LONG, steps=steps,
        ) + " "  # fmt: skip
    elif steps < _LONG:
        said = tr("A short run shows which networks are *harder to optimise*, not yet which end up worse.") + " "
    if recorded and recorded[0].config.training.steps > steps:
        sentences_there = " ".join(sentences.verdict_sentences(_gaps(recorded, race)))
        steps_there = recorded[0].config.training.steps
        said += tr("Recorded with {depths}, {steps:,} steps:", depths=_depths(recorded), steps=steps_there)
        said += f" {sentences_there}"
    if said:
        st.info(frame.together(said), icon=":material/history:")


def _gaps(runs: Sequence[Run], race: Race) -> dict[str, Gap]:
    """The verdict of those runs that have finished."""
    judged = [run for run in runs if run.state == DONE and race.is_judged(run.config.network)]
    return verdict([(run.config, last) for run in judged if (last := final(run)) is not None])


def _live(race: Race) -> list[Run]:
    """The store's runs of this race, of whatever seed, in the race's order; those that were stopped only if alone."""
    wanted = [replace(config, seed=0).run for config in race.runs]
    found = [run for run in resources.server().store.runs() if replace(run.config, seed=0).run in wanted]
    kept = [run for run in found if run.state in (*ACTIVE, PAUSED, DONE, FAILED)]
    return sorted(kept, key=lambda run: (run.config.seed, wanted.index(replace(run.config, seed=0).run)))


def _first(race: Race) -> list[Run]:
    """What is shown before anything was run: of the usual race the recordings that most work went into."""
    library = [run for run in resources.library().runs() if resources.kind(run.config.data) == "cifar10"]
    usual = race.recipe == RECIPES["brief"] and race.depths == race.recipe.depths
    return most_trained(library) if usual else _recorded(race, exact=False)


def _depths(runs: Sequence[Run]) -> str:
    """As: 20 and 56 layers."""
    *few, last = [str(depth) for depth in sorted({run.config.network.depth for run in runs})]
    return tr("{some} and {last} layers", some=", ".join(few), last=last) if few else tr("{last} layers", last=last)


def _recorded(race: Race, exact: bool) -> list[Run]:
    """Recordings of all its networks: of its recipe and kind of images if `exact`, else the longest on CIFAR-10."""
    names = {_what_for(config, exact) for config in race.runs if race.is_judged(config.network)}
    steps = {config.training.steps for config in race.runs}
    kind = resources.kind(race.data) if exact else "cifar10"
    runs = [
        run
        for run in resources.library().runs()
        if _what_for(run.config, exact) in names and resources.kind(run.config.data) == kind
    ]
    wanted = steps if exact else {max((run.config.training.steps for run in runs), default=0)}
    found = [run for run in runs if run.config.training.steps in wanted]
    return found if {_what_for(run.config, exact) for run in found} == names else []


def _what_for(config: RunConfig, exact: bool) -> str:
    """What a recording must have in common with a race: the network, or its family and depth at least."""
    return config.network.name if exact else f"{config.network.family}-{config.network.depth}"


def _next_seed(race: Race, live: Sequence[Run]) -> int:
    """The first seed that not all networks of the race have finished."""
    done = dict.fromkeys(range(len(live) + 1), 0)
    for run in live:
        if run.state == DONE:
            done[run.config.seed] = done.get(run.config.seed, 0) + 1
    return next(seed for seed, count in sorted(done.items()) if count < len(race.runs))
