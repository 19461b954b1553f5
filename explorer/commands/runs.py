"""runs list, show, export, import, pause, stop, resume, delete: what the store holds."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explorer import recordings
from explorer.commands.output import catalogue, command, percent, result
from explorer.data import sources
from explorer.engines.chosen import Engines
from explorer.errors import ExplorerError, RequestError
from explorer.records import EvaluationRecord, record_to_dict
from explorer.runs import ACTIVE, PAUSED, RESUMABLE, Run


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = subparsers.add_parser("runs", help="list, show, export, import, pause, stop, resume, delete runs")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    command(actions, "list", show_all, "all runs, recordings with them")
    command(actions, "show", show, "one run with its records").add_argument("run")
    parser = command(actions, "export", export, "write a finished run as one file")
    parser.add_argument("run")
    parser.add_argument("--out", type=Path, help=f"file or folder (default: RUN{recordings.SUFFIX} here)")
    parser.add_argument("--curves-only", action="store_true", help="leave the weights out: a small file")
    parser = command(actions, "import", take_in, "add a recording, or weights that others trained, to the store")
    parser.add_argument("file", type=Path)
    parser.add_argument("--network", help="which network weights are of (default: what their shapes say)")
    parser.add_argument("--normalize", choices=("cifar10", "imagenet"), help="how their images were normalised")
    parser.add_argument("--data", default=sources.usual(), help="the images that an imported network is measured on")
    for name, does in (
        ("pause", "let a run rest, its state kept"),
        ("stop", "end a run"),
        ("resume", "go on with a run"),
    ):
        parser = command(actions, name, move, does)
        parser.add_argument("run")
        parser.set_defaults(move=name)
    command(actions, "delete", delete, "remove a run, its records and its weights").add_argument("run")


def show_all(options: Namespace) -> None:
    """A row for each run."""
    runs = catalogue()
    rows = [_row(runs, run) for run in runs.runs()]
    lines = [
        f"{row['run']}  {row['state']:<8} {row['label']:<28} "
        f"{'training ' + percent(row['training_error']) if row['training_error'] is not None else '':<18}"
        f"{(row['provenance'] or {}).get('origin', '')}"
        for row in rows
    ]
    result(options, {"runs": rows}, "\n".join(lines) or "no runs yet: python -m explorer race")


def show(options: Namespace) -> None:
    """One run, whole."""
    runs = catalogue()
    run = runs.run(options.run)
    records = [record_to_dict(record) for record in runs.records(run.run)]
    result(options, {**_row(runs, run), "config": run.config.to_dict(), "records": records})


def export(options: Namespace) -> None:
    """Pack a run into one file."""
    runs = catalogue()
    run = runs.run(options.run).run
    path = options.out or Path(run + recordings.SUFFIX)
    path = path / (run + recordings.SUFFIX) if path.is_dir() else path
    content = recordings.export(runs, run, options.curves_only)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ExplorerError(f"cannot write {path}: {error.strerror}") from None
    result(options, {"run": run, "file": str(path), "bytes": len(content)})


def take_in(options: Namespace) -> None:
    """Add a recording or an imported network to the store."""
    path: Path = options.file
    if path.suffix == recordings.SUFFIX:
        _take_in_recording(options)
    else:
        _take_in_weights(options)


def _take_in_recording(options: Namespace) -> None:
    path: Path = options.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror}") from None
    run = recordings.add(catalogue().store, content, path.name)
    result(options, {"run": run.run, "label": run.label})


def _take_in_weights(options: Namespace) -> None:
    from explorer.data import sources
    from explorer.imported import take_in as take_in_weights
    from explorer.weights import read_file

    source = sources.resolve(options.data)
    weights = read_file(options.file)
    location = str(source.path) if source.path else source.kind
    images = sources.load(options.data)
    run, report = take_in_weights(catalogue().store, weights, images, location, options.network, options.normalize)
    matched = {"matched": report.how, "notes": list(report.notes), "tensors": len(report.pairs)}
    told = "\n".join(
        [*report.notes, f"{run.label}: run {run.run}, {len(report.pairs)} tensors matched by {report.how}"]
    )
    result(options, {"run": run.run, "label": run.label, "network": run.config.network.name, **matched}, told)


def move(options: Namespace) -> None:
    """Pause, stop or resume a run; workers go on when the command has ended."""
    runs = catalogue()
    run = runs.run(options.run)
    states = {"pause": ACTIVE, "stop": (*ACTIVE, PAUSED), "resume": RESUMABLE}[options.move]
    if run.state not in states:
        raise RequestError(f"run {run.run} is {run.state}: it cannot {options.move}")
    getattr(runs.store, options.move)([run.run])
    Engines(runs.store).tend()
    result(options, {"run": run.run, "state": runs.store.run(run.run).state})


def delete(options: Namespace) -> None:
    """Remove a run from the store."""
    runs = catalogue()
    run = runs.run(options.run).run
    if runs.store.get(run) is None:
        raise RequestError(f"run {run} is a recording that ships with the program: it cannot be deleted")
    runs.store.delete(run)
    result(options, {"deleted": run})


def _row(runs: recordings.Catalogue, run: Run) -> dict[str, Any]:
    evaluations = [record for record in runs.records(run.run) if isinstance(record, EvaluationRecord)]
    final = evaluations[-1] if evaluations and run.state == "done" else None
    return {
        "run": run.run,
        "network": run.config.network.name,
        "seed": run.config.seed,
        "label": run.label,
        "state": run.state,
        "message": run.message,
        "provenance": asdict(run.provenance) if run.provenance else None,
        "training_error": final.training_error if final else None,
        "test_error": final.test_error if final else None,
    }
