"""What pages ask of runs: to be run, their records, their last evaluation, which belong together."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import streamlit as st

from explorer import jobs
from explorer.config import RunConfig
from explorer.language import tr
from explorer.network_config import shared_options, short_names
from explorer.records import EvaluationRecord, Record
from explorer.runs import ACTIVE, DONE, LOCAL, Run
from explorer.ui import engine, limits, membership, resources
from explorer.ui.names import label

_SHOWN_AT_ONCE = 8


def final(run: Run) -> EvaluationRecord | None:
    """The last evaluation of a run, if there is one."""
    evaluations = [record for record in records(run) if isinstance(record, EvaluationRecord)]
    return evaluations[-1] if evaluations else None


def records(run: Run) -> list[Record]:
    """A run's records, of the store or of a recording, read anew only when there are more."""
    if run.provenance and run.provenance.origin == "recorded" and not run.created:
        recording = resources.library().get(run.run)
        return recording.records if recording else []
    store = resources.server().store
    attempt, newest = store.newest(run.run)
    read = _read(run.run, run.created, attempt)
    with read.lock:
        while read.records and read.records[-1].seq > newest:  # it was taken up anew, at the state kept last
            read.records.pop()
        last = read.records[-1].seq if read.records else -1
        if last < newest:
            read.records += store.records(run.run, last)
        return list(read.records)


@dataclass
class _Read:
    """A run's records as far as anybody has looked: while it trains there are only ever more."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    records: list[Record] = field(default_factory=list)


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(run: str, created: float, attempt: int) -> _Read:
    return _Read()


def labels(runs: Sequence[Run]) -> dict[str, str]:
    """Names for a figure, by run: without the options that all of the networks share."""
    names = short_names(run.config.network for run in runs)
    return {run.run: label(run).replace(run.config.network.name, names[run.config.network]) for run in runs}


def shared(runs: Sequence[Run]) -> str:
    """The options that these names leave out, as a sentence."""
    options = shared_options(run.config.network for run in runs)
    return tr("All with {options}.", options=", ".join(options)) if options else ""


def submit(configs: list[RunConfig], location: str) -> None:
    """Queue these runs and see that somebody works the queue; refused if one of them would not fit into memory, or if
    this visitor, or all of them, asked for too many in a short time."""
    from explorer.memory import check_training  # with torch, which a page must not wait for before it is drawn

    where = engine.chosen()
    for config in configs if where == LOCAL else []:  # a cluster's nodes have memory of their own
        check_training(config)
    server, who = resources.server(), membership.mark()
    limits.check_under_way(server.store, who, len(configs))
    limits.take("runs", len(configs))
    if signed := membership.signed():
        resources.rooms().own(signed, [config.run for config in configs])
    server.store.submit(configs, location, where, who)
    server.engine.tend()


def stop_runs(runs: list[str]) -> None:
    """End these runs. This and what follows is refused where one of them is another's of a room."""
    _mine(runs)
    resources.server().store.stop(runs)


def pause_runs(runs: list[str]) -> None:
    """Let these runs rest."""
    _mine(runs)
    resources.server().store.pause(runs)


def resume_runs(runs: list[str]) -> None:
    """Let runs that were paused, stopped or failed go on."""
    _mine(runs)
    resources.server().store.resume(runs)
    resources.server().engine.tend()


def rename_run(run: str, label: str) -> None:
    """Give a run a name of one's own."""
    _mine([run])
    resources.server().store.rename(run, label)


def delete_runs(runs: list[str]) -> None:
    """Remove runs, records and weights; those under way must be stopped first."""
    _mine(runs)
    for run in runs:
        resources.server().store.delete(run)


def _mine(runs: list[str]) -> None:
    resources.rooms().check_may_change(membership.signed(), runs)


def latest_race(runs: Sequence[Run]) -> list[Run]:
    """Of these runs the newest finished one with those trained alike; recordings only if nothing was trained here."""
    own = [run for run in runs if run.created and run.state == DONE and not run.config.start]
    return _alike(own[0], own)[:_SHOWN_AT_ONCE] if own else longest_race(runs)


def newest_together(runs: Sequence[Run]) -> list[Run]:
    """Of these runs the newest that waits, trains or is done, with those trained alike."""
    own = [run for run in runs if run.created and run.state in (*ACTIVE, DONE)]
    return _alike(own[0], own)[:_SHOWN_AT_ONCE] if own else []


def longest_race(runs: Sequence[Run]) -> list[Run]:
    """Of these runs those of the longest training, of one seed and one set of images."""
    runs = [run for run in runs if not run.config.start]
    if not runs:
        return []
    return _alike(max(runs, key=lambda run: (run.config.training.steps, -run.config.seed)), runs)


def trained_alike(first: Run, runs: Sequence[Run]) -> list[Run]:
    """Of these runs those whose networks differ from the first's in depth and shortcut alone, shallow ones first."""
    found = [run for run in _alike(first, runs) if _but_depth(run) == _but_depth(first)]
    return sorted(found, key=lambda run: (run.config.network.family, run.config.network.depth))


def _but_depth(run: Run) -> dict[str, Any]:
    return {name: one for name, one in asdict(run.config.network).items() if name not in ("depth", "shortcut")}


def most_trained(runs: Sequence[Run]) -> list[Run]:
    """Of these runs those that most work went into, trained alike and as wide, all their seeds."""
    runs = [run for run in runs if not run.config.start]
    if not runs:
        return []
    first = max(runs, key=lambda run: jobs.cost(run.config))
    alike = (first.config.training, first.config.data, first.config.network.width)
    return [run for run in runs if (run.config.training, run.config.data, run.config.network.width) == alike]


def _alike(first: Run, runs: Sequence[Run]) -> list[Run]:
    alike = (first.config.training, first.config.data, first.config.seed)
    scratch = [run for run in runs if not run.config.start]
    return [run for run in scratch if (run.config.training, run.config.data, run.config.seed) == alike]


def deepest(runs: Sequence[Run], family: str) -> Run:
    """The deepest network of a family among these runs, of all of them where it has none."""
    of_it = [run for run in runs if run.config.network.family == family]
    return max(of_it or runs, key=lambda run: run.config.network.depth)
