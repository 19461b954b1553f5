"""The panel of layer responses: Fig. 7 for chosen runs, with the longest recording beside them."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from explorer.plots import theme
from explorer.plots.responses import Responses, alternative_text, response_curves
from explorer.recipes import RECIPES
from explorer.records import EvaluationRecord
from explorer.runs import Run
from explorer.ui import controls, frame, resources, sentences, sitemap
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import final, labels, latest_race, longest_race, records, shared

_HEIGHT, _NARROW_HEIGHT = 360, 620


def panel() -> None:
    """Fig. 7 for chosen runs, and for the longest recording beside them."""
    choices = [run for run in resources.catalogue().runs() if final(run) is not None]
    if not choices:
        st.info("No network has been trained yet.", icon=":material/info:")
        sitemap.link("degradation", "Train some: Degradation")
        return
    chosen = controls.runs("Networks", choices, latest_race(choices), key="responses-runs")
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="center")
    with left:
        share = st.slider("Training done", 0, 100, 100, step=10, format="%d%%", key="responses-share")
    control = middle.toggle("Untrained control", value=True, key="responses-control")
    predicted = right.toggle("Predicted from γ and β", key="responses-predicted")
    if not chosen:
        st.info("Choose at least one network.", icon=":material/info:")
        return
    _responses(chosen, share / 100, control, predicted, "responses")
    longest = [
        run for run in longest_race(resources.library().runs()) if run.run not in {other.run for other in chosen}
    ]
    most = max(run.config.training.steps for run in chosen)
    if longest and longest[0].config.training.steps > most:
        st.subheader(f"Beside it: the longest recording, {longest[0].config.training.steps:,} steps", anchor=False)
        _responses(longest, 1.0, control, predicted, "responses-longest")


def _responses(runs: Sequence[Run], share: float, control: bool, predicted: bool, key: str) -> None:
    names = labels(runs)
    shown = [Responses(run.config.network, names[run.run], _evaluation_at(run, share).responses) for run in runs]
    finding = sentences.responses_sentence([(r.network, r.values) for r in shown])
    steps = max(run.config.training.steps for run in runs)
    basis = f"{steps:,} steps, {share:.0%} of them done. {shared(runs)}".rstrip()
    if steps < RECIPES["paper"].training.steps:
        basis += " A short run hardly moves γ from 1: small differences, not yet the paper's picture."
    frame.finding([finding], basis)
    if runs[0].provenance:
        frame.provenance_badge(replace(runs[0].provenance, seconds=0))
    figure = response_curves(shown, control, predicted)
    live_plot(
        figure, key=key, height=_HEIGHT, alt=alternative_text(shown), narrow=theme.stacked(figure, _NARROW_HEIGHT)
    )


def _evaluation_at(run: Run, share: float) -> EvaluationRecord:
    """The evaluation nearest to this share of the training."""
    evaluations = [record for record in records(run) if isinstance(record, EvaluationRecord)]
    return min(evaluations, key=lambda record: abs(record.step - share * run.config.training.steps))
