"""The panels of layer responses: Fig. 7 for chosen runs, its channels, and the size of F(x) beside x."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from explorer import jobs
from explorer.language import later, told, tr
from explorer.plots import branches as branch_plot
from explorer.plots import theme
from explorer.plots.branches import Branches, branch_ratios
from explorer.plots.responses import Responses, alternative_text, response_curves
from explorer.recipes import RECIPES, is_papers
from explorer.records import BlockBranch, EvaluationRecord
from explorer.runs import Run
from explorer.ui import address, controls, frame, resources, sentences, sitemap, studies
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import final, labels, latest_race, longest_race, most_trained, records, shared

_HEIGHT, _NARROW_HEIGHT = 360, 620
_SHOWN = {"responses": later("Responses (Fig. 7)"), "branches": later("F(x) beside x")}
_BRANCH_IMAGES = 250
_HARDLY_MOVED = later("A short run hardly moves γ from 1: small differences, not yet the paper's picture.")


def panel() -> None:
    """Chosen runs, and beside them the longest recording."""
    choices = [run for run in resources.catalogue().runs() if final(run) is not None]
    if not choices:
        st.info(tr("No network has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some: Degradation"))
        return
    shown = controls.pick(
        tr("Show"), list(_SHOWN), "responses", "responses-shown", _title,
        means=tr("**Responses:** how much a layer's output varies. **F(x) beside x:** how large what a block adds is "
                 "beside what it is given."),
    )  # fmt: skip
    chosen = controls.runs(tr("Networks"), choices, latest_race(choices), key="responses-runs")
    if not chosen:
        st.info(tr("Choose at least one network."), icon=":material/info:")
        return
    draw = _fig_7 if shown == "responses" else _summands
    controls.playing(partial(draw, chosen), key="responses-share")


def _title(shown: str) -> str:
    return told(_SHOWN[shown])


def _fig_7(chosen: Sequence[Run]) -> None:
    left, *toggles = st.columns([10, 6, 5, 5], vertical_alignment="center")
    with left:
        share = controls.moment("responses-share")
    with address.kept("responses-control", True):
        control = toggles[0].toggle(
            tr("Untrained"), key="responses-control",
            help=tr("The same networks before the first step: BN makes every response 1."),
        )  # fmt: skip
    with address.kept("responses-predicted", False):
        predicted = toggles[1].toggle(
            tr("From γ and β"), key="responses-predicted", help=tr("What BN's parameters alone predict.")
        )
    with address.kept("responses-channels", False):
        channels = toggles[2].toggle(
            tr("Channels"),
            key="responses-channels",
            help=tr("Eight of ten channels of a layer lie in the band: their |γ|."),
        )
    _responses(chosen, share, control, predicted, channels, "responses")
    longest = [
        run for run in longest_race(resources.library().runs()) if run.run not in {other.run for other in chosen}
    ]
    most = max(run.config.training.steps for run in chosen)
    if longest and longest[0].config.training.steps > most:
        steps = longest[0].config.training.steps
        st.header(tr("Beside it: the longest recording, {steps:,} steps", steps=steps), anchor=False)
        _responses(longest, 1.0, control, predicted, channels, "responses-longest")


def _responses(runs: Sequence[Run], share: float, control: bool, predicted: bool, channels: bool, key: str) -> None:
    names = labels(runs)
    shown = [
        Responses(
            run.config.network, names[run.run], _evaluation_at(run, share).responses,
            resources.channel_spreads(run, share) if channels else (),
        )
        for run in runs
    ]  # fmt: skip
    finding = sentences.responses_sentence([(r.network, r.values) for r in shown])
    without = [one.label for one in shown if channels and not one.spreads]
    lacking = " " + tr("No weights were kept of {networks}.", networks=", ".join(without)) if without else ""
    frame.finding([finding], _basis(runs, share) + lacking)
    if runs[0].provenance:
        frame.provenance_badge(replace(runs[0].provenance, seconds=0))
    figure = response_curves(shown, control, predicted)
    live_plot(
        figure, key=key, height=_HEIGHT, alt=alternative_text(shown), narrow=theme.stacked(figure, _NARROW_HEIGHT)
    )


def _basis(runs: Sequence[Run], share: float) -> str:
    """How far the networks were trained, and what that is worth."""
    steps, papers = max(run.config.training.steps for run in runs), RECIPES["paper"].training.steps
    done = tr("{steps:,} steps, {share:.0%} of them done.", steps=steps, share=share)
    said = f"{done} {shared(runs)}".rstrip()
    if not is_papers(runs[0].config.training):
        return f"{said} {told(_HARDLY_MOVED)}"
    return said if steps == papers else f"{said} {tr('The paper took {steps:,}.', steps=papers)}"


def _summands(chosen: Sequence[Run]) -> None:
    """The ratio of the two summands of each residual block, as recorded, or measured on kept weights."""
    residual = [run for run in chosen if run.config.network.shortcut in ("A", "B", "C")]
    if not residual:
        st.info(tr("Choose a residual network: a plain one adds nothing."), icon=":material/info:")
        return
    with st.columns([2, 3])[0]:
        share = controls.moment("responses-share")
    asked = [_asked(run) for run in residual if not _recorded(run) and resources.catalogue().has_weights(run.run)]
    studies.follow(asked, lambda _found: _draw_summands(residual, share), "branches")
    with st.columns([1, 3])[0]:
        studies.press(asked, tr("Measure"), ":material/compare_arrows:", "branches")


def _draw_summands(runs: Sequence[Run], share: float) -> None:
    names = labels(runs)
    shown = [Branches(run.config.network, names[run.run], _branches_at(run, share)) for run in runs]
    measured = [one for one in shown if one.blocks]
    if not measured:
        frame.finding(
            [tr("Not measured yet.")], tr("How large F(x) is beside x, in each block, from the start to the end.")
        )
        return
    start = [Branches(run.config.network, names[run.run], _branches_at(run, 0.0)) for run in runs]
    how = tr(
        "Root mean squares over images, channels and places; diamonds: blocks that change the shape, where x is what "
        "option A makes of it."
    )
    said = [sentences.branches_sentence(one.label, one.ratios) for one in measured]
    frame.finding(said, f"{_basis(runs, share)} {how}")
    if runs[0].provenance:
        frame.provenance_badge(replace(runs[0].provenance, seconds=0))
    figure = branch_ratios(measured, [one for one in start if one.blocks] if share else [])
    live_plot(figure, key="branches", height=_HEIGHT, alt=branch_plot.alternative_text(measured))


def _branches_at(run: Run, share: float) -> Sequence[BlockBranch]:
    """Of the moment nearest to this share of the training: as it was recorded, else as a study found it."""
    at = share * run.config.training.steps
    recorded = _recorded(run)
    if recorded:
        return min(recorded, key=lambda record: abs(record.step - at)).branches
    study = resources.studies().get(_asked(run).arguments)
    if not study or not study.records:
        return ()
    nearest = min(study.records, key=lambda record: abs(record["step"] - at))
    return [BlockBranch(**branch) for branch in nearest["branches"]]


def _recorded(run: Run) -> list[EvaluationRecord]:
    return [record for record in records(run) if isinstance(record, EvaluationRecord) and record.branches]


def _asked(run: Run) -> studies.Asked:
    arguments = ["branches", run.run, "--images", str(_BRANCH_IMAGES)]
    return studies.Asked(run, arguments, jobs.measuring(run.config, _BRANCH_IMAGES, 4))


def _evaluation_at(run: Run, share: float) -> EvaluationRecord:
    """The evaluation nearest to this share of the training."""
    evaluations = [record for record in records(run) if isinstance(record, EvaluationRecord)]
    return min(evaluations, key=lambda record: abs(record.step - share * run.config.training.steps))


def summands() -> None:
    """F(x) beside x in the residual networks that most work went into."""
    runs = [run for run in most_trained(resources.catalogue().runs()) if run.config.seed == 0]
    controls.playing(partial(_summands, runs), key="responses-share")
