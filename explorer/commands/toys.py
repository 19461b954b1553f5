"""measure: deep-linear, shattering, propagation: small experiments on untrained or tiny networks, done in a second."""

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from explorer.commands.output import at_least, command, finite, percent, result
from explorer.config import NetworkConfig, TrainingConfig, network
from explorer.data import sources
from explorer.measurement.deep_linear import STEPS, TARGETS

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.data.prepared import PreparedData


def add_to(measures: Any) -> None:
    """Declare these commands among those of `measure`."""
    parser = command(measures, "deep-linear", deep_linear, "linear networks of 1 … 64 layers (Hardt and Ma 2016)")
    parser.add_argument("--target", choices=TARGETS, default=TARGETS[0])
    parser.add_argument("--steps", type=int, default=STEPS, help="of gradient descent")
    parser.add_argument("--seed", type=int, default=0)
    parser = command(measures, "shattering", shattering, "gradients along a line of inputs (Balduzzi et al. 2017)")
    parser.add_argument("--depth", type=int, default=50, help="of the deepest network, in ReLU layers")
    parser.add_argument("--scale", type=finite, default=1.0, help="factor on the residual branch, beta in the paper")
    parser.add_argument("--networks", type=int, default=5, help="to average over")
    parser = command(measures, "propagation", propagation, "trunk and branch of untrained blocks (De and Smith 2020)")
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="resnet-56, resnet-56:bn=off, skipinit-56 …")
    _of_images(parser, 16)
    parser = command(measures, "initialisation", initialisation, "signal and gradient of untrained networks, by layer")
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="plain-56, plain-56:bn=off,init=small …")
    _of_images(parser, 64)


def _of_images(parser: Any, images: int) -> None:
    parser.add_argument("--data", default=sources.usual(), help="where the images are")
    parser.add_argument("--images", type=int, default=images)
    parser.add_argument("--seed", type=int, default=0)


def deep_linear(options: Namespace) -> None:
    """What is missing of the target, and the largest layer, for each depth."""
    from explorer.measurement import deep_linear as measurement

    at_least("--steps", options.steps, 0)
    at_least("--seed", options.seed, 0)
    fits = measurement.deep_linear(options.target, options.steps, seed=options.seed)
    lines = [
        f"{fit.depth:>2} layers: missing {percent(fit.residual_loss)} residual, {percent(fit.plain_loss)} plain; "
        f"largest layer {fit.norm:.4f}"
        for fit in fits
    ]
    shown = {"target": options.target, "steps": options.steps, "seed": options.seed}
    found = [asdict(fit) for fit in fits]
    result(options, {**shown, "fits": found}, "\n".join(lines))


def shattering(options: Namespace) -> None:
    """The autocorrelation of the gradient at each depth, plain and residual."""
    from explorer.measurement.shattering import shattering

    at_least("--depth", options.depth, 1)
    at_least("--networks", options.networks, 1)
    found, lines = {}, []
    for family in ("plain", "resnet"):
        measured = shattering(family, options.depth, options.networks, options.scale)
        found[family] = {"neighbours": measured.neighbours, "correlations": measured.correlations}
        lines.append(f"{family:<7} neighbours at {options.depth} layers: {measured.neighbours[-1]:.3f}")
    shown = {"depth": options.depth, "scale": options.scale, "networks": options.networks}
    result(options, {**shown, **found}, "\n".join(lines))


def propagation(options: Namespace) -> None:
    """Branch, what is carried, and their sum in every block of untrained networks."""
    from explorer.measurement.propagation import propagation

    configs = [network(name) for name in options.networks]
    images = _images(options)
    measured, lines = [], []
    for config in configs:
        signals = propagation(config, images, options.seed)
        blocks = [{**asdict(signal), "share": signal.share} for signal in signals]
        measured.append({"network": config.name, "blocks": blocks})
        lines += [_told(config, block) for block in blocks]
    result(options, {"networks": measured, "images": len(images), "seed": options.seed}, "\n".join(lines))


def initialisation(options: Namespace) -> None:
    """Standard deviation of each layer's response, and norm of its gradient, before the first step."""
    from explorer.measurement.initialisation import at_start

    configs, measured, lines = [network(name) for name in options.networks], [], []
    ready = _ready(options)
    images = ready.normalization(ready.train_images[: options.images])
    for config in configs:
        start = at_start(config, images, ready.train_labels[: options.images], options.seed)
        layers = [
            {"layer": gradient.layer, "gradient": gradient.norm, "signal": response.std}
            for gradient, response in zip(start.gradients, start.responses, strict=True)
        ]
        measured.append({"network": config.name, "layers": layers})
        lines += [
            f"{config.name:<24} {one['layer']:<16} {one['gradient']!s:.10} {one['signal']!s:.10}" for one in layers
        ]
    result(options, {"networks": measured, "images": len(images), "seed": options.seed}, "\n".join(lines))


def _images(options: Namespace) -> "Tensor":
    ready = _ready(options)
    return ready.normalization(ready.train_images[: options.images])


def _ready(options: Namespace) -> "PreparedData":
    from explorer.data.prepared import prepared

    at_least("--images", options.images, 1)
    return prepared(sources.load(options.data), TrainingConfig(train_images=max(1000, options.images)))


def _told(config: NetworkConfig, block: dict[str, Any]) -> str:
    sums = "" if block["trunk"] is None else f", trunk {block['trunk']:.4g}, share {percent(block['share'])}"
    return f"{config.name:<24} {block['block']:<10} branch {block['branch']:.4g}{sums}"
