"""measure quality, sanity, noise, means: how far the maps of attributions can be trusted, and maps of many images."""

from argparse import Namespace
from dataclasses import asdict
from statistics import fmean
from typing import Any

from explorer import provenance, recordings
from explorer.attribution.methods import METHODS, usual
from explorer.commands.output import catalogue, command, line, result, say
from explorer.data import sources
from explorer.errors import RequestError

_IMAGES, _NOISE_IMAGES = 16, 256


def add_to(measures: Any) -> None:
    """Declare the measurements of this group."""
    parsers = {}
    for name, run, help in (
        ("quality", quality, "completeness, infidelity, sensitivity, deletion, insertion, smoothness of attributions"),
        ("sanity", sanity, "attributions while weights are made random from the top down (Adebayo et al. 2018)"),
        ("means", means, "mean absolute attributions over images of one class"),
    ):
        parser = parsers[name] = command(measures, name, run, help)
        parser.add_argument("run", metavar="RUN")
        parser.add_argument("--method", action="append", metavar="NAME", help="default: four quick ones")
        parser.add_argument("--data", help="where the test images are (default: the run's)")
        parser.add_argument("--images", type=int, default=_IMAGES, help="test images to look at, their true class")
        parser.add_argument("--step", type=int, help="of the weights kept on the way (default: at the end)")
    parsers["means"].add_argument("--label", required=True, metavar="CLASS", help="its number or its name")
    parser = command(measures, "noise", noise, "how noisy the gradient of the score is, over test images, by network")
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--data", help="where the test images are (default: the run's)")
    parser.add_argument("--images", type=int, default=_NOISE_IMAGES, help="test images to look at, their true class")


def quality(options: Namespace) -> None:
    """One record an image, with the means over those so far; then the whole."""
    from explorer.attribution.quality import quality as measured

    methods = _methods(options, ["saliency", "integrated_gradients", "grad_cam", "occlusion"])
    network, images, labels, named = _subject(options)
    found: dict[str, list[dict[str, float | None]]] = {method: [] for method in methods}
    means: dict[str, Any] = {}
    for seq, (image, label) in enumerate(zip(images, labels, strict=True)):
        for method in methods:
            found[method].append(asdict(measured(network, image, label, method, **usual(method))))
        means = {method: _means(found[method]) for method in methods}
        if options.json:
            line({"kind": "quality", "seq": seq, "done": seq + 1, "of": len(labels), "methods": means})
        say(f"{seq + 1} of {len(labels)} images")
    told = [f"{'':<22}" + "".join(f"{name:>14}" for name in next(iter(means.values())))]
    told += [f"{method:<22}" + "".join(_told(value) for value in values.values()) for method, values in means.items()]
    result(options, {**named, "images": len(labels), "methods": means}, "\n".join(told))


def sanity(options: Namespace) -> None:
    """One record a part of the network that is made random, from the top down; then all of them."""
    from explorer.attribution.sanity import cascade

    methods = _methods(options, ["saliency", "input_x_gradient", "guided_backprop", "grad_cam"])
    network, images, labels, named = _subject(options)
    layers: list[tuple[str, dict[str, float]]] = []
    for found in cascade(network, images, labels, methods):
        layers.append((found.layer, found.similarity))
        if options.json:
            line({"kind": found.kind, **asdict(found), "done": found.seq})
        say(f"{found.seq} of {found.of}: {found.layer or 'trained'}")
    told = [f"{layer or 'trained':<14}" + "".join(map(_told, alike.values())) for layer, alike in layers]
    told.insert(0, " " * 14 + "".join(f"{method[:13]:>14}" for method in methods))
    result(
        options,
        {**named, "images": len(labels), "layers": [{"layer": layer, "similarity": alike} for layer, alike in layers]},
        "\n".join(told),
    )


def means(options: Namespace) -> None:
    """One record every few images, with the mean maps over those so far; then the last of them."""
    import torch

    from explorer.attribution.means import mean_maps

    methods = _methods(options, ["saliency", "integrated_gradients", "grad_cam", "occlusion"])
    network, images, labels, named = _subject(options)
    with torch.inference_mode():
        right = float((network(images).argmax(dim=1) == labels[0]).float().mean())
    for seq, found in enumerate(mean_maps(network, images, labels, methods)):
        maps = {method: [[float(f"{one:.4g}") for one in row] for row in each] for method, each in found.maps.items()}
        if options.json:
            line({"kind": "means", "seq": seq, "done": found.images, "of": len(labels), "right": right, "maps": maps})
        say(f"{found.images} of {len(labels)} images")
    told = [f"{method:<22} strongest {max(map(max, each)):.2f} times the mean" for method, each in maps.items()]
    shown = {"label": labels[0], "images": len(labels), "right": right, "maps": maps}
    result(options, {**named, **shown}, "\n".join(told))


def noise(options: Namespace) -> None:
    """One record every few images of each network; then each network's means."""
    from explorer.measurement.saliency_noise import saliency_noise

    networks: list[dict[str, Any]] = []
    told = []
    for index, run in enumerate(options.runs):
        network, images, labels, named = _subject(Namespace(**{**vars(options), "run": run, "step": None}))
        here = named.pop("provenance")
        networks.append(named)
        found = None
        for found in saliency_noise(network, images, labels):
            networks[-1] = {**named, **asdict(found)}
            if options.json:
                done = index * len(labels) + found.images
                of = len(options.runs) * len(labels)
                line({"kind": "noise", "seq": done, "done": done, "of": of, "networks": networks})
            say(f"{named['network']}: {found.images} of {len(labels)} images")
        if found is None:
            raise RequestError(f"{named['network']}: fewer than two of {len(labels)} images have a gradient")
        told.append(f"{named['network']:<16} {_interval(found.smoothness)} {_interval(found.steadiness)}")
    result(options, {"networks": networks, "provenance": here}, "\n".join([_NOISE_HEADING, *told]))


_NOISE_HEADING = f"{'':<16} {'smoothness':<22} steadiness (means, 95 % intervals)"


def _interval(one: Any) -> str:
    return f"{f'{one.mean:.3f} ({one.low:.3f} to {one.high:.3f})':<22}"


def _methods(options: Namespace, default: list[str]) -> list[str]:
    chosen = options.method or default
    for name in chosen:
        if name not in METHODS:
            raise RequestError(f"unknown method {name!r}: choose one of {', '.join(METHODS)}")
    return list(chosen)


def _subject(options: Namespace) -> tuple[Any, Any, list[int], dict[str, Any]]:
    """The network, normalised test images (N, 3, H, W), their classes, and what to call the run."""
    from explorer.data.augmentation import prepare

    run = catalogue().run(options.run)
    trained = recordings.trained(catalogue(), run.run, options.step)
    images = sources.load(options.data or run.location or sources.usual())
    chosen = _chosen(images, options)[: max(1, options.images)]
    pixels = prepare(images.test_images[chosen], run.config.training.image_size)
    here = provenance.made_here(images.description, "fp32")
    named = {"run": run.run, "network": run.config.network.name, "provenance": asdict(here)}
    return trained.network, trained.normalization(pixels), images.test_labels[chosen].tolist(), named


def _chosen(images: Any, options: Namespace) -> Any:
    """Numbers of the test images: all, or those of the class that is asked for. RequestError for an unknown one."""
    import torch

    wanted = getattr(options, "label", None)
    if wanted is None:
        return torch.arange(len(images.test_labels))
    names = [*images.classes, *map(str, range(len(images.classes)))]
    if wanted not in names:
        raise RequestError(f"class {wanted!r} is unknown: choose one of {', '.join(images.classes)}")
    found = torch.nonzero(images.test_labels == names.index(wanted) % len(images.classes))[:, 0]
    if not len(found):
        raise RequestError(f"no test image shows {wanted}")
    return found


def _means(found: list[dict[str, float | None]]) -> dict[str, float | None]:
    """The mean of each measure over the images that have it."""
    means: dict[str, float | None] = {}
    for name in found[0]:
        values = [value for one in found if (value := one[name]) is not None]
        means[name] = fmean(values) if values else None
    return means


def _told(value: float | None) -> str:
    return f"{'-' if value is None else f'{value:.3f}':>14}"
