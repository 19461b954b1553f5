"""evaluate, measure, attribute: what a trained network does."""

import json
import re
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explorer import recordings
from explorer.commands.output import catalogue, command, percent, result
from explorer.config import TrainingConfig, network
from explorer.data import sources
from explorer.errors import ExplorerError, RequestError

_CIFAR10_MEAN, _CIFAR10_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = command(subparsers, "evaluate", evaluate, "the error of a run, or of a file of weights")
    parser.add_argument("run", nargs="?")
    parser.add_argument("--weights", type=Path, help="safetensors, or torch.save of a state dict")
    parser.add_argument("--network", help="which network the weights are of")
    parser.add_argument(
        "--normalize", choices=("cifar10",), help="how images were normalised (default: as the file says)"
    )
    parser.add_argument("--data", help="auto, cifar10, shapes or a path (default: the run's)")
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser = subparsers.add_parser("measure", help="measure trained networks")
    measures = parser.add_subparsers(required=True, metavar="MEASUREMENT")
    parser = command(measures, "responses", responses, "standard deviation of each layer's response (Fig. 7)")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser = command(subparsers, "attribute", attribute, "what in an image counted for a class, per network")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--image", required=True, help="a picture's path, or the index of a test image")
    parser.add_argument("--method", action="append", required=True, metavar="NAME")
    parser.add_argument("--target", type=int, help="class index (default: the class that each network predicts)")
    parser.add_argument("--data", help="where the test images are (default: the run's)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")


def evaluate(options: Namespace) -> None:
    """Top-1 and top-5 error on all images of a split."""
    from explorer.checkpoints import Trained, weights_file
    from explorer.data.augmentation import prepare
    from explorer.evaluation import error, logits

    runs = catalogue()
    if (options.run is None) == (options.weights is None):
        raise RequestError("evaluate takes either a RUN or --weights FILE --network NAME")
    if options.weights:
        if not options.network:
            raise RequestError("--weights needs --network NAME: which network are they of?")
        trained, size, location = weights_file(options.weights, network(options.network)), 32, "auto"
    else:
        run = runs.run(options.run)
        trained = recordings.trained(runs, run.run)
        size, location = run.config.training.image_size, run.location or "auto"
    if options.normalize:
        trained = Trained(trained.network, _published_normalization())
    images = sources.load(options.data or location)
    train = options.split == "train"
    pixels, labels = (images.train_images, images.train_labels) if train else (images.test_images, images.test_labels)
    outputs = logits(trained.network, prepare(pixels, size), trained.normalization)
    top1, top5 = error(outputs, labels), error(outputs, labels, top=5)
    values = {"images": len(labels), "error": top1, "top5_error": top5, "data": images.description}
    result(options, values, f"{percent(top1)} of {len(labels):,} images wrong ({images.description})")


def responses(options: Namespace) -> None:
    """The response of every layer at a run's last evaluation, with the figure that gamma and beta predict."""
    from explorer.records import EvaluationRecord

    runs, measured, told = catalogue(), [], []
    for name in options.runs:
        run = runs.run(name)
        evaluations = [record for record in runs.records(run.run) if isinstance(record, EvaluationRecord)]
        if not evaluations:
            raise RequestError(f"run {run.run} has no evaluation yet")
        last = evaluations[-1]
        network_name = run.config.network.name
        values = [asdict(response) for response in last.responses]
        measured.append({"run": run.run, "network": network_name, "step": last.step, "responses": values})
        told += [
            f"{network_name:<16} {layer.layer:<16} {layer.std:.3f}  (from gamma and beta: {_number(layer.predicted)})"
            for layer in last.responses
        ]
    result(options, {"runs": measured}, "\n".join(told))


def attribute(options: Namespace) -> None:
    """Write each map as a .npy file of (H, W) float32."""
    import numpy as np

    from explorer.attribution.explain import attribute as explain
    from explorer.evaluation import logits

    runs = catalogue()
    chosen = [runs.run(name) for name in options.runs]
    folder = _folder(options.out)
    maps = []
    for run in chosen:
        trained = recordings.trained(runs, run.run)
        picture = _picture(options, run.config.training, run.location)
        target = options.target
        if target is None:
            target = int(logits(trained.network, picture[None], trained.normalization).argmax())
        for method in options.method:
            found = explain(trained.network, trained.normalization(picture[None])[0], target, method)
            file = folder / f"{run.run}-{method}.npy"
            np.save(file, found.values)
            maps.append(
                {
                    "run": run.run,
                    "method": method,
                    "target": target,
                    "seconds": found.seconds,
                    "completeness_error": found.completeness_error,
                    "files": [str(file)],
                }
            )
    result(options, {"maps": maps}, "\n".join(json.dumps(entry) for entry in maps))


def _number(value: float | None) -> str:
    return "no BN" if value is None else f"{value:.3f}"


def _picture(options: Namespace, training: TrainingConfig, location: str) -> Any:
    """(3, size, size) uint8: a test image by its index, or a picture from a file."""
    import torch

    from explorer.data.augmentation import prepare
    from explorer.data.picture import read_picture

    if not re.fullmatch(r"\d+", options.image):
        return torch.from_numpy(read_picture(Path(options.image), training.image_size))
    images = sources.load(options.data or location or "auto").test_images
    index = int(options.image)
    if index >= len(images):
        raise RequestError(f"there is no test image {index}: the last is {len(images) - 1}")
    return prepare(images[index : index + 1], training.image_size)[0]


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExplorerError(f"cannot write to {path}: {error.strerror}") from None
    return path


def _published_normalization() -> Any:
    """Per-channel mean and standard deviation as most published CIFAR-10 weights were trained with."""
    import torch

    from explorer.data.prepared import Normalization

    mean, std = (torch.tensor(values)[:, None, None] for values in (_CIFAR10_MEAN, _CIFAR10_STD))
    return Normalization(mean, std)
