"""The panel of runs: a table with small curves; what is chosen in it can be compared, renamed, exported, deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer import recordings
from explorer.device import told_device
from explorer.jobs import Place
from explorer.language import later, told, tr
from explorer.plots import curves, theme
from explorer.plots.curves import Curve
from explorer.records import StepRecord
from explorer.runs import ACTIVE, DONE, FAILED, PAUSED, QUEUED, RESUMABLE, RUNNING, STOPPED, Run
from explorer.ui import engine, exchange, frame, queue, resources, sentences, sitemap
from explorer.ui.download import download
from explorer.ui.live_plot import live_plot
from explorer.ui.names import label as run_label
from explorer.ui.names import message
from explorer.ui.runs import delete_runs, final, pause_runs, records, rename_run, resume_runs, stop_runs

_TICK_SECONDS = 2.0
_SPARK_POINTS = 30
_STATES = {
    QUEUED: later("queued"),
    RUNNING: later("running"),
    PAUSED: later("paused"),
    DONE: later("done"),
    STOPPED: later("stopped"),
    FAILED: later("failed"),
}


def panel() -> None:
    """The table, on its own clock while something trains, then what can be done with the chosen runs."""
    engine.panel()
    active = any(run.state in ACTIVE for run in resources.server().store.runs())
    st.fragment(_table, run_every=_TICK_SECONDS if active else None, key="runs-table")(active)
    exchange.take_in()
    for problem in resources.library().problems:
        st.warning(tr("Left out: {problem}", problem=frame.plain(problem)), icon=":material/broken_image:")


def _table(was_active: bool) -> None:
    runs = resources.catalogue().runs()
    active = any(run.state in ACTIVE for run in runs)
    if was_active and not active:
        st.rerun()
    if not runs:
        st.info(tr("Nothing has been trained yet."), icon=":material/info:")
        sitemap.link("degradation", tr("Train some networks: Degradation"))
        return
    used = resources.server().store.bytes_used() / 1e6
    st.caption(
        tr(
            "{count} runs. The store takes {used:,.0f} MB. Choose rows to compare, rename, export or delete.",
            count=len(runs),
            used=used,
        )  # fmt: skip
    )
    waiting = queue.places() if active else {}
    event = st.dataframe(
        [_row(run, waiting) for run in runs],
        column_config=_columns(),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="runs-chosen",
        height=min(36 * (len(runs) + 1) + 4, 470),
    )
    chosen = [runs[index] for index in event["selection"]["rows"] if index < len(runs)]
    if chosen:
        _chosen(chosen)


def _row(run: Run, waiting: Mapping[str, Place]) -> dict[str, Any]:
    last = final(run)
    errors = [100 * record.training_error for record in records(run) if isinstance(record, StepRecord)]
    return {
        "name": run_label(run),
        "state": queue.short(run, waiting) or _state(run),
        "curve": errors[:: max(1, len(errors) // _SPARK_POINTS)],
        "training error": 100 * last.training_error if last else None,
        "test error": 100 * last.test_error if last else None,
        "steps": None if run.config.weights else run.config.training.steps,
        "time": sentences.duration(run.provenance.seconds) if run.provenance and run.provenance.seconds else "",
        "network": run.config.network.name,
        "seed": run.config.seed,
        "device": told_device(run.provenance.device) if run.provenance else "",
        "run": run.run,
    }


def _state(run: Run) -> str:
    """How far it is; of a finished run where it comes from."""
    if run.state == DONE and run.provenance:
        return told(frame.ORIGINS.get(run.provenance.origin, run.provenance.origin))
    return told(_STATES.get(run.state, run.state))


def _columns() -> dict[str, Any]:
    """What the keys of `_row` are called."""
    number = st.column_config.NumberColumn
    return {
        "name": tr("name"),
        "state": tr("state"),
        "curve": st.column_config.LineChartColumn(tr("curve"), y_min=0, y_max=100, width="small"),
        "training error": number(tr("training"), format="%.1f %%", help=tr("On the clean subset, at the end")),
        "test error": number(tr("test"), format="%.1f %%"),
        "steps": number(tr("steps"), format="localized"),
        "time": tr("time"),
        "network": tr("network"),
        "seed": tr("seed"),
        "device": tr("device"),
        "run": tr("run"),
    }


def _chosen(runs: Sequence[Run]) -> None:
    drawn = [Curve(run.config, records(run)) for run in runs if records(run)]
    if drawn:
        figure = curves.error_curves(drawn)
        narrow = theme.stacked(figure, 640)
        live_plot(figure, key="runs-curves", height=360, alt=curves.alternative_text(drawn), narrow=narrow)
    if len(runs) == 1:
        _one(runs[0])
    own = [run for run in runs if resources.server().store.get(run.run)]
    if own:
        _control(own)
        _delete(own)
    elif len(runs) > 1:
        st.caption(tr("Recordings that ship with the program cannot be deleted."))


def _one(run: Run) -> None:
    if run.provenance:
        frame.provenance_badge(run.provenance)
    if run.message:
        st.error(frame.plain(message(run)))
    name, export = st.columns([3, 1], vertical_alignment="bottom")
    if resources.server().store.get(run.run):
        wanted = name.text_input(tr("Name"), run.label, max_chars=80, key=f"runs-name-{run.run}")
        if wanted != run.label:
            rename_run(run.run, wanted)
            st.rerun()
    if run.state == DONE:
        file = f"{run.config.network.name}-seed-{run.config.seed}{recordings.SUFFIX}".replace(":", "-")
        with export:
            download(
                tr("Export"),
                lambda: recordings.export(resources.catalogue(), run.run),
                file,
                "application/octet-stream",
                key=f"runs-export-{run.run}",
                width="stretch",
                help=tr("One file: curves, weights and where they come from"),
            )
    with st.expander(tr("What was asked for")):
        st.json(run.config.to_dict() | {"run": run.run})


def _control(runs: Sequence[Run]) -> None:
    """Buttons for those of the chosen runs that can be paused, stopped or go on."""
    moves = (
        (tr("Pause"), "pause", ACTIVE, pause_runs),
        (tr("Stop"), "stop", (*ACTIVE, PAUSED), stop_runs),
        (tr("Go on"), "play_arrow", RESUMABLE, resume_runs),
    )
    able = [move for move in moves if any(run.state in move[2] for run in runs)]
    for column, (label, icon, states, move) in zip(st.columns(6), able, strict=False):
        if column.button(label, icon=f":material/{icon}:", width="stretch", key=f"runs-{icon}"):
            move([run.run for run in runs if run.state in states])
            resources.server().engine.tend()
            st.rerun()


def _delete(runs: Sequence[Run]) -> None:
    label = tr("Delete {count} runs", count=len(runs)) if len(runs) > 1 else tr("Delete 1 run")
    with st.popover(label, icon=":material/delete:"):
        names = ", ".join(f"**{frame.plain(run_label(run))}**" for run in runs)
        st.markdown(tr("Records and weights go for good: {names}.", names=names))
        if st.button(label, type="primary", key="runs-delete"):
            with frame.errors_in_place():
                delete_runs([run.run for run in runs])
                st.rerun()
