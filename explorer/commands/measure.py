"""measure: responses, gradients, gates, lesions of trained networks."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from explorer import recordings
from explorer.commands import trust
from explorer.commands.output import catalogue, command, line, numbers, percent, result, say
from explorer.data import sources
from explorer.errors import RequestError
from explorer.records import EvaluationRecord, LesionRecord
from explorer.runs import Run

if TYPE_CHECKING:
    from explorer.measurement.lesions import Subject

_GATE_IMAGES, _LESION_IMAGES = 512, 1000


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
    parser = command(
        measures, "lesions", lesions, "the error without each block, without several, with blocks exchanged"
    )
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--data", help="where the test images are (default: the run's)")
    parser.add_argument("--images", type=int, default=_LESION_IMAGES, help="test images to look at")
    parser.add_argument("--remove", metavar="K,K,…", help="take so many blocks away at once, drawn by chance")
    parser.add_argument("--swap", metavar="K,K,…", help="exchange two blocks of a stage so many times")
    parser.add_argument("--draws", type=int, default=10, help="for each of K")
    parser.add_argument("--step", type=int, help="of the weights kept on the way (default: at the end)")
    parser = command(measures, "constructed", constructed, "a trained network with identity layers added: its errors")
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--depth", type=int, required=True, help="of the deeper network")
    parser.add_argument("--data", help="where the images are (default: the run's)")
    parser.add_argument("--images", type=int, default=_LESION_IMAGES, help="of each split to look at")
    trust.add_to(measures)


def responses(options: Namespace) -> None:
    """The response of every layer at a run's last evaluation, with the figure that gamma and beta predict."""
    _layers(options, "responses", lambda layer: f"{layer.std:.3f}  (from gamma and beta: {_number(layer.predicted)})")


def gradients(options: Namespace) -> None:
    """The gradient of every layer at a run's last evaluation."""
    _layers(options, "gradients", lambda layer: f"{layer.norm:.3g}  (weights: {layer.weight_norm:.3g})")


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
    """Mean openness of every gate on the first test images."""
    from explorer.data.augmentation import prepare
    from explorer.measurement.gates import gate_openness

    runs, measured, told = catalogue(), [], []
    for name in options.runs:
        run = runs.run(name)
        trained = recordings.trained(runs, run.run)
        images = sources.load(options.data or run.location or "auto").test_images[:_GATE_IMAGES]
        found = gate_openness(trained.network, trained.normalization(prepare(images, run.config.training.image_size)))
        if not found:
            raise RequestError(f"{run.config.network.name} has no gates: train highway-20, say")
        measured.append({"run": run.run, "network": run.config.network.name, "gates": [asdict(gate) for gate in found]})
        told += [f"{run.config.network.name:<16} {gate.block:<12} {gate.mean:.3f} ± {gate.std:.3f}" for gate in found]
    result(options, {"runs": measured, "images": len(images)}, "\n".join(told))


def lesions(options: Namespace) -> None:
    """One record a batch or draw, all that is known by then; then the whole."""
    run = catalogue().run(options.run)
    subject = _subject(run, options)
    for found in _study(subject, options):
        if options.json:
            line({"kind": found.kind, **asdict(found)})
        say(f"{found.images:,} of {found.of:,} images, {len(found.lesions)} lesions")
    lines = [f"{'none':<20} {percent(found.whole)}"]
    lines += [f"{_blocks(lesion.blocks, options):<20} {percent(lesion.error)}" for lesion in found.lesions]
    shown = {"run": run.run, "network": run.config.network.name, "images": found.images, "whole": found.whole}
    result(options, {**shown, "lesions": [asdict(lesion) for lesion in found.lesions]}, "\n".join(lines))


def constructed(options: Namespace) -> None:
    """Training and test error of the shallow network and of the deeper one made of it, and how far logits differ."""
    from explorer.checkpoints import Trained
    from explorer.data.prepared import prepared
    from explorer.evaluation import error, logits
    from explorer.measurement.constructed import deepened

    run = catalogue().run(options.run)
    trained = recordings.trained(catalogue(), run.run)
    deep = Trained(deepened(trained.network, options.depth), trained.normalization)
    data = prepared(sources.load(options.data or run.location or "auto"), run.config.training)
    few = max(1, options.images)
    found: dict[str, Any] = {"shallow": {}, "deep": {}}
    furthest = 0.0
    for split in ("train", "test"):
        pixels, labels = getattr(data, f"{split}_images")[:few], getattr(data, f"{split}_labels")[:few]
        both = [logits(one.network, pixels, one.normalization) for one in (trained, deep)]
        furthest = max(furthest, float((both[0] - both[1]).abs().max()))
        for name, values in zip(found, both, strict=True):
            found[name] |= {f"{split}_error": error(values, labels), f"{split}_images": len(labels)}
        say(f"{split}: {percent(found['shallow'][f'{split}_error'])}, {percent(found['deep'][f'{split}_error'])}")
    names = {"network": run.config.network.name, "constructed": deep.network.config.name}
    result(options, {"run": run.run, **names, **found, "largest_logit_difference": furthest})


def _study(subject: "Subject", options: Namespace) -> Iterator[LesionRecord]:
    from explorer.measurement import lesions as measurement

    if options.remove:
        return measurement.several(subject, numbers("blocks to remove", options.remove), options.draws)
    if options.swap:
        return measurement.swapped(subject, numbers("exchanges", options.swap), options.draws)
    return measurement.single(subject)


def _subject(run: Run, options: Namespace) -> "Subject":
    from explorer.data.augmentation import prepare
    from explorer.measurement.lesions import Subject
    from explorer.networks.residual import ResidualNetwork

    trained = recordings.trained(catalogue(), run.run, options.step)
    if not isinstance(trained.network, ResidualNetwork):
        raise RequestError(f"{run.config.network.name} has no blocks to take away")
    images = sources.load(options.data or run.location or "auto")
    few = max(1, options.images)
    pixels = prepare(images.test_images[:few], run.config.training.image_size)
    return Subject(trained.network, pixels, images.test_labels[:few], trained.normalization)


def _blocks(blocks: tuple[str, ...], options: Namespace) -> str:
    return "exchanged" if options.swap else " ".join(blocks)


def _evaluated(names: list[str]) -> Iterator[tuple[Run, EvaluationRecord]]:
    """The runs so called, each with its last evaluation."""
    runs = catalogue()
    for name in names:
        run = runs.run(name)
        evaluations = [record for record in runs.records(run.run) if isinstance(record, EvaluationRecord)]
        if not evaluations:
            raise RequestError(f"run {run.run} has no evaluation yet")
        yield run, evaluations[-1]


def _number(value: float | None) -> str:
    return "no BN" if value is None else f"{value:.3f}"
