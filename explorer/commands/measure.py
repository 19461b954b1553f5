"""measure: responses, gradients, gates of trained networks, the studies that take longer, the toys, the relatives."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from explorer import recordings
from explorer.commands import related, studies, toys, trust
from explorer.commands.output import catalogue, command, result
from explorer.data import sources
from explorer.errors import RequestError
from explorer.measurement.table import MEASUREMENTS
from explorer.records import EvaluationRecord
from explorer.runs import Run

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.checkpoints import Trained

_GATE_IMAGES = 512


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = subparsers.add_parser("measure", help="measure trained networks")
    measures = parser.add_subparsers(required=True, metavar="MEASUREMENT")
    parser = command(measures, "responses", responses, "standard deviation of each layer's response (Fig. 7)")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser = command(measures, "gradients", gradients, "norm of the gradient of each layer's weights (section 4.1)")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser = command(measures, "gates", gates, "how far the gates of Highway networks open")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--data", help="where the test images are (default: the run's)")
    for name, measurement in MEASUREMENTS.items():
        parser = command(measures, name, partial(measured, name), measurement.question)
        parser.add_argument("runs", nargs="+", metavar="RUN")
        if measurement.images:
            parser.add_argument("--data", help="where the test images are (default: the run's)")
    studies.add_to(measures)
    toys.add_to(measures)
    related.add_to(measures)
    trust.add_to(measures)


def responses(options: Namespace) -> None:
    """The response of every layer at a run's last evaluation, with the figure that gamma and beta predict."""
    _layers(options, "responses", lambda layer: f"{layer.std:.3f}  (from gamma and beta: {_number(layer.predicted)})")


def gradients(options: Namespace) -> None:
    """The gradient of every layer at a run's last evaluation."""
    _layers(options, "gradients", lambda layer: f"{layer.norm:.3g}  (weights: {layer.weight_norm:.3g})")


def measured(name: str, options: Namespace) -> None:
    """What a measurement of the table finds in each network, under the measurement's name."""
    asked, runs, measured, lines = MEASUREMENTS[name], catalogue(), [], []
    for given in options.runs:
        run = runs.run(given)
        trained, network = recordings.trained(runs, run.run), run.config.network.name
        images = [_test_images(run, trained, asked.images, options)] if asked.images else []
        found = [asdict(one) for one in asked.measure(trained.network, *images)]
        measured.append({"run": run.run, "network": network, name: found})
        lines += [" ".join([f"{network:<16}", *map(_cell, one.values())]) for one in found]
    result(options, {"runs": measured}, "\n".join(lines))


def _layers(options: Namespace, what: str, told: Callable[[Any], str]) -> None:
    """What the last evaluations recorded of each layer, and how it is told to people."""
    measured, lines = [], []
    for run, last in _evaluated(options.runs):
        name, layers = run.config.network.name, getattr(last, what)
        if not layers:
            raise RequestError(f"run {run.run} was recorded without {what}: train it anew")
        values = [asdict(layer) for layer in layers]
        measured.append({"run": run.run, "network": name, "step": last.step, what: values})
        lines += [f"{name:<16} {layer.layer:<16} {told(layer)}" for layer in layers]
    result(options, {"runs": measured}, "\n".join(lines))


def gates(options: Namespace) -> None:
    """Mean openness of every gate on the first test images, and what was recorded of it over the training."""
    from explorer.measurement.gates import gate_openness

    runs, measured, told = catalogue(), [], []
    for name in options.runs:
        run = runs.run(name)
        trained = recordings.trained(runs, run.run)
        images = _test_images(run, trained, _GATE_IMAGES, options)
        found = gate_openness(trained.network, images)
        if not found:
            raise RequestError(f"{run.config.network.name} has no gates: train highway-20, say")
        course = [
            {"step": record.step, "gates": [asdict(gate) for gate in record.gates]}
            for record in runs.records(run.run)
            if isinstance(record, EvaluationRecord) and record.gates
        ]
        shown = {"gates": [asdict(gate) for gate in found], "over_training": course}
        measured.append({"run": run.run, "network": run.config.network.name, **shown})
        told += [f"{run.config.network.name:<16} {gate.block:<12} {gate.mean:.3f} ± {gate.std:.3f}" for gate in found]
    result(options, {"runs": measured, "images": len(images)}, "\n".join(told))


def _test_images(run: Run, trained: "Trained", few: int, options: Namespace) -> "Tensor":
    """The first so many test images of a run, as its network wants them."""
    from explorer.data.augmentation import prepare

    images = sources.load(options.data or run.location or sources.usual()).test_images[:few]
    return trained.normalization(prepare(images, run.config.training.image_size))


def _evaluated(names: list[str]) -> Iterator[tuple[Run, EvaluationRecord]]:
    """The runs so called, each with its last evaluation."""
    runs = catalogue()
    for name in names:
        run = runs.run(name)
        evaluations = [record for record in runs.records(run.run) if isinstance(record, EvaluationRecord)]
        if not evaluations:
            raise RequestError(f"run {run.run} has no evaluation yet")
        yield run, evaluations[-1]


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value!s:<16}"


def _number(value: float | None) -> str:
    return "no BN" if value is None else f"{value:.3f}"
