"""Networks that others trained, as runs like any other: measured on the images at hand when they are taken in."""

import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.checkpoints import Trained, save
from explorer.config import NetworkConfig, RunConfig, TrainingConfig, network
from explorer.data.augmentation import prepare
from explorer.data.image_set import ImageSet
from explorer.data.prepared import PreparedData, prepared
from explorer.errors import RequestError
from explorer.evaluation import error, logits
from explorer.language import tr
from explorer.measurement.responses import layer_responses
from explorer.networks.residual import ResidualNetwork
from explorer.provenance import made_here
from explorer.records import EvaluationRecord
from explorer.runs import Run, Store
from explorer.weights import Report, Weights, guess, identity, match, published, variants

TRIAL_IMAGES = 1000
_EVALUATED = 2000
_RESPONSE_IMAGES = 512


@dataclass(frozen=True)
class Fit:
    """A network that weights were found to be of, with how they got there."""

    config: NetworkConfig
    trained: Trained
    report: Report
    image_size: int
    """Pixels a side: what the file's per-pixel mean says, else the images' own."""


def fitted(weights: Weights, name: str | None, normalize: str | None, images: ImageSet) -> Fit:
    """The network `name` (or what the shapes say) with these weights, and the normalisation that they want.

    Where the file leaves open which network it is (option A's zero channels), each is tried on the first training
    images and the one that errs least is taken.
    """
    config = network(name) if name else guess(weights)
    if config is None:
        raise RequestError(
            tr("{file}: which network is it of? Its shapes do not say; name it, as resnet-20", file=weights.where)
        )
    if config.classes != len(images.classes):
        raise RequestError(
            tr(
                "{network} tells {classes} classes apart, {images} has {others}",
                network=config.name,
                classes=config.classes,
                images=images.name,
                others=len(images.classes),
            )  # fmt: skip
        )
    normalization = published(normalize) if normalize else weights.normalization or published("cifar10")
    notes = (
        [] if normalize or weights.normalization else [tr("The file does not say how images were normalised: cifar10.")]
    )
    size = _image_size(weights, images)
    fits = []
    for variant in variants(config, name or "", weights):
        model, report = match(weights, variant)
        fits.append(Fit(variant, Trained(model, normalization), report, size))
    if len(fits) == 1:
        return _noted(fits[0], notes)
    order = torch.randperm(len(images.train_images), generator=torch.Generator().manual_seed(0))[:TRIAL_IMAGES]
    pixels, labels = prepare(images.train_images[order], size), images.train_labels[order]
    errors = [error(logits(fit.trained.network, pixels, fit.trained.normalization), labels) for fit in fits]
    tried = ", ".join(
        tr("zeros={zeros}: {error:.1%} wrong", zeros=fit.config.zeros, error=found)
        for fit, found in zip(fits, errors, strict=True)
    )
    notes.append(
        tr(
            "Where option A puts its zero channels no file says; on {images:,} training images {tried}.",
            images=len(labels),
            tried=tried,
        )  # fmt: skip
    )
    return _noted(fits[errors.index(min(errors))], notes)


def take_in(
    store: Store, weights: Weights, images: ImageSet, location: str, name: str | None, normalize: str | None
) -> tuple[Run, Report]:
    """Add a file's network to the store as a finished run; the same weights are the same run."""
    began = time.perf_counter()
    fit = fitted(weights, name, normalize, images)
    training = TrainingConfig(image_size=fit.image_size)
    normalization = fit.trained.normalization
    config = RunConfig(fit.config, training, images.name, weights=identity(fit.trained.network, normalization))
    if store.get(config.run):
        raise RequestError(tr("{file} is in the store already, as run {run}", file=weights.where, run=config.run))
    record = _evaluation(fit.trained, images, training)
    save(store.checkpoint(config.run), config, fit.trained.network, fit.trained.normalization)
    seconds = time.perf_counter() - began
    provenance = made_here(images.description, "fp32", origin="imported", seconds=seconds)
    store.add(config, provenance, [record], f"{fit.config.name} · imported", location)
    return store.run(config.run), fit.report


def _image_size(weights: Weights, images: ImageSet) -> int:
    if weights.normalization is None:
        return images.train_images.shape[-1]
    for values in (weights.normalization.mean, weights.normalization.std):
        if values.dim() != 3 or len(values) != 3 or values.shape[1] != values.shape[2]:
            shape = "×".join(map(str, values.shape)) or "1"
            raise RequestError(
                tr("{file}: its images' mean or deviation has the shape {shape}", file=weights.where, shape=shape)
            )
    told = weights.normalization.mean.shape[-1]
    return told if told > 1 else images.train_images.shape[-1]


def _noted(fit: Fit, notes: list[str]) -> Fit:
    return replace(fit, report=replace(fit.report, notes=tuple(notes)))


def _evaluation(trained: Trained, images: ImageSet, training: TrainingConfig) -> EvaluationRecord:
    """What training would have recorded at its end, on at most 2,000 images of each split."""
    few = min(_EVALUATED, len(images.test_images))
    data = prepared(images, replace(training, test_images=few, clean_images=_EVALUATED))
    model: ResidualNetwork = trained.network
    clean, labels = data.train_images[: data.clean], data.train_labels[: data.clean]
    test, seen = (logits(model, pixels, trained.normalization) for pixels in (data.test_images, clean))
    return EvaluationRecord(
        seq=0, step=0, epoch=0.0,
        training_error=error(seen, labels), training_images=data.clean,
        test_error=error(test, data.test_labels), test_top5_error=error(test, data.test_labels, top=5),
        test_images=few, responses=layer_responses(model, _first(trained, data)), seconds=0.0,
    )  # fmt: skip


def _first(trained: Trained, data: PreparedData) -> Tensor:
    return trained.normalization(data.train_images[: min(_RESPONSE_IMAGES, data.clean)])
