"""What pages ask of runs: their records, their last evaluation, which belong together."""

from collections.abc import Sequence

import streamlit as st

from explorer.records import EvaluationRecord, Record
from explorer.runs import DONE, Run
from explorer.ui import resources


def final(run: Run) -> EvaluationRecord | None:
    """The last evaluation of a run, if there is one."""
    evaluations = [record for record in records(run) if isinstance(record, EvaluationRecord)]
    return evaluations[-1] if evaluations else None


def records(run: Run) -> list[Record]:
    """A run's records, of the store or of a recording, read anew only when there are more."""
    if run.provenance and run.provenance.origin == "recorded" and not run.created:
        recording = resources.library().get(run.run)
        return recording.records if recording else []
    return _records(run.run, resources.server().store.newest(run.run))


@st.cache_resource(max_entries=64, show_spinner=False)
def _records(run: str, newest: tuple[int, int]) -> list[Record]:
    return resources.server().store.records(run)


def latest_race(runs: Sequence[Run]) -> list[Run]:
    """The newest finished run with those trained alike from its seed; recordings only if there is nothing else."""
    first = next((run for run in runs if run.created and run.state == DONE), None)
    if first is None:
        return longest_recording() or list(runs[:1])
    alike = (first.config.training, first.config.data, first.config.seed)
    return [run for run in runs if (run.config.training, run.config.data, run.config.seed) == alike][:8]


def longest_recording() -> list[Run]:
    """The recorded networks of the longest training, of the first seed."""
    runs = resources.library().runs()
    most = max((run.config.training.steps for run in runs), default=0)
    longest = [run for run in runs if run.config.training.steps == most]
    seed = min((run.config.seed for run in longest), default=0)
    return [run for run in longest if run.config.seed == seed]
