"""evaluate, export, attribute: what a trained network does."""

import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer import recordings
from explorer.commands.output import catalogue, command, percent, result
from explorer.config import TrainingConfig, network
from explorer.data import sources
from explorer.errors import ExplorerError, RequestError


def add_to(subparsers: Any) -> None:
    """Declare the commands of this group."""
    parser = command(subparsers, "evaluate", evaluate, "the error of a run, or of a file of weights")
    parser.add_argument("run", nargs="?")
    parser.add_argument("--weights", type=Path, help="safetensors, or torch.save of a state dict")
    parser.add_argument("--network", help="which network the weights are of (default: what their shapes say)")
    parser.add_argument(
        "--normalize", choices=("cifar10", "imagenet"), help="how images were normalised (default: as the file says)"
    )
    parser.add_argument("--data", help="auto, cifar10, shapes or a path (default: the run's)")
    parser.add_argument("--split", choices=("test", "train"), default="test")
    parser = command(
        subparsers, "export", export, "a network as PyTorch code that runs by itself, of a run with weights"
    )
    parser.add_argument("what", metavar="RUN|NETWORK")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser = command(subparsers, "attribute", attribute, "what in an image counted for a class, per network")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--image", required=True, help="a picture's path, or the index of a test image")
    parser.add_argument("--method", action="append", required=True, metavar="NAME")
    parser.add_argument("--target", type=int, help="class index (default: the class that each network predicts)")
    parser.add_argument("--baseline", default="mean", help="mean (the default), zero, blurred or noise")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the methods")
    parser.add_argument("--step", type=int, help="of the weights kept on the way (default: at the end)")
    parser.add_argument("--data", help="where the test images are (default: the run's)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")


def evaluate(options: Namespace) -> None:
    """Top-1 and top-5 error on all images of a split."""
    if (options.run is None) == (options.weights is None):
        raise RequestError("evaluate takes either a RUN or --weights FILE [--network NAME]")
    if options.weights:
        _evaluate_weights(options)
    else:
        _evaluate_run(options)


def _evaluate_run(options: Namespace) -> None:
    from explorer.checkpoints import Trained
    from explorer.weights import published

    runs = catalogue()
    run = runs.run(options.run)
    trained = recordings.trained(runs, run.run)
    if options.normalize:
        trained = Trained(trained.network, published(options.normalize))
    images = sources.load(options.data or run.location or sources.usual())
    _tell_errors(options, trained, images, run.config.training.image_size, {"network": run.config.network.name})


def _evaluate_weights(options: Namespace) -> None:
    from explorer.imported import fitted
    from explorer.weights import read_file

    weights = read_file(options.weights)
    images = sources.load(options.data or sources.usual())
    fit = fitted(weights, options.network, options.normalize, images)
    values = {"network": fit.config.name, "matched": fit.report.how, "notes": list(fit.report.notes)}
    _tell_errors(options, fit.trained, images, fit.image_size, values)


def _tell_errors(options: Namespace, trained: Any, images: Any, size: int, values: dict[str, Any]) -> None:
    from explorer.data.augmentation import prepare
    from explorer.evaluation import error, logits

    train = options.split == "train"
    pixels, labels = (images.train_images, images.train_labels) if train else (images.test_images, images.test_labels)
    outputs = logits(trained.network, prepare(pixels, size), trained.normalization)
    top1, top5 = error(outputs, labels), error(outputs, labels, top=5)
    told = f"{percent(top1)} of {len(labels):,} images wrong ({images.description})"
    told = "\n".join([*values.get("notes", ()), told])
    counted = {"images": len(labels), "error": top1, "top5_error": top5, "data": images.description}
    result(options, {**counted, **values}, told)


def export(options: Namespace) -> None:
    """Write a network as PyTorch code that needs torch alone; of a run, with its weights."""
    from explorer.export import files

    if re.fullmatch(r"[0-9a-f]{4,16}", options.what):
        runs = catalogue()
        run = runs.run(options.what)
        written = files(run.config.network, recordings.trained(runs, run.run), run.provenance)
    else:
        written = files(network(options.what))
    folder = _folder(options.out)
    for name, content in written.items():
        try:
            (folder / name).write_bytes(content)
        except OSError as error:
            raise ExplorerError(f"cannot write {folder / name}: {error.strerror}") from None
    paths = [str(folder / name) for name in written]
    result(options, {"files": paths}, "\n".join(paths))


def attribute(options: Namespace) -> None:
    """Write each map as a .npy file of (H, W) float32."""
    import numpy as np

    from explorer.attribution.baselines import baseline
    from explorer.attribution.explain import attribute as explain
    from explorer.attribution.methods import METHODS
    from explorer.evaluation import logits

    runs = catalogue()
    chosen = [runs.run(name) for name in options.runs]
    folder, parameters = _folder(options.out), _parameters(options.set)
    maps = []
    for run in chosen:
        trained = recordings.trained(runs, run.run, options.step)
        picture = _picture(options, run.config.training, run.location)
        target = options.target
        if target is None:
            target = int(logits(trained.network, picture[None], trained.normalization).argmax())
        nothing = baseline(options.baseline, picture, trained.normalization)
        for method in options.method:
            image = trained.normalization(picture[None])[0]
            values = METHODS[method].read(method, parameters) if method in METHODS else {}
            found = explain(trained.network, image, target, method, nothing, **values)
            file = folder / f"{run.run}-{method}.npy"
            np.save(file, found.values)
            maps.append(
                {
                    "run": run.run,
                    "method": method,
                    "target": target,
                    "baseline": options.baseline,
                    "parameters": found.parameters,
                    "seconds": found.seconds,
                    "completeness_error": found.completeness_error,
                    "files": [str(file)],
                }
            )
    result(options, {"maps": maps}, "\n".join(json.dumps(entry) for entry in maps))


def _parameters(texts: list[str]) -> dict[str, int | float | str]:
    """NAME=VALUE, numbers as numbers."""
    found: dict[str, int | float | str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise RequestError(f"--set {text!r}: write NAME=VALUE, as steps=100")
        if re.fullmatch(r"\d+", value):
            found[name] = int(value)
        elif re.fullmatch(r"\d*\.\d+(e-?\d+)?", value):
            found[name] = float(value)
        else:
            found[name] = value
    return found


def _picture(options: Namespace, training: TrainingConfig, location: str) -> Any:
    """(3, size, size) uint8: a test image by its index, or a picture from a file."""
    import torch

    from explorer.data.augmentation import prepare
    from explorer.data.picture import read_picture

    if not re.fullmatch(r"\d+", options.image):
        return torch.from_numpy(read_picture(Path(options.image), training.image_size))
    images = sources.load(options.data or location or sources.usual()).test_images
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
