"""Ask one network which pixels of an image counted for a class."""

import copy
import operator
import time
from collections.abc import Callable, Sequence
from typing import Any

import captum.attr  # noqa: F401 - loaded now, so that no method's time holds its import
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution.chance import drawn_from
from explorer.attribution.method import SCORE, Method, Question
from explorer.attribution.methods import METHODS
from explorer.errors import ExplorerError, RequestError
from explorer.networks.residual import ResidualNetwork
from explorer.records import Attribution

_SEED = 0
_BOTH_WAYS = 3  # a pass forward and backward, in forward passes

Watch = Callable[[float], None]
"""Told of the share of the work that is done, 0..1, before each pass through the network; what it raises ends all."""


def attribute(
    network: nn.Module,
    image: Tensor,
    target: int,
    method: str,
    baseline: Tensor | None = None,
    watch: Watch | None = None,
    **parameters: Any,
) -> Attribution:
    """The map of one method for class `target`, with (H, W) float32 values in `Attribution.values`.

    `image` is normalised, (3, H, W), and so is `baseline` (None: the mean image, which is zero). All else is as in
    `attributions`.
    """
    if image.ndim != 3:
        raise RequestError(f"the image has shape {tuple(image.shape)}: one image (3, height, width) is needed")
    baselines = None if baseline is None else baseline[None]
    return attributions(network, image[None], [target], method, baselines, watch, **parameters)[0]


def attributions(
    network: nn.Module,
    images: Tensor,
    targets: Sequence[int],
    method: str,
    baselines: Tensor | None = None,
    watch: Watch | None = None,
    **parameters: Any,
) -> list[Attribution]:
    """The maps of one method, one for each of N normalised images (N, 3, H, W) and its class in `targets`.

    The outputs explained are logits. `METHODS` lists the methods and their parameters. All work happens on a copy of
    the network, so the network itself may be shared between threads and keeps its mode, hooks and gradients, whatever
    happens. On a CPU the same request gives the same bits, and an image's map does not depend on the others but for
    rounding. `seconds` is the method's own time without the copying, the same share for each image.

    Raises RequestError for an unknown method, parameter or class and for images of another shape, and ExplorerError
    where the network's outputs are not finite or the method cannot follow the network.
    """
    chosen = METHODS.get(method)
    if chosen is None:
        raise RequestError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    values = chosen.read(method, parameters)
    device_type = next((p.device.type for p in network.parameters()), "cpu")
    # Whatever mode the caller is in, gradients are needed here, in full precision.
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device_type, enabled=False):
        private = _private(network)
        pixels = _pixels(images, private)
        empty = torch.zeros_like(pixels) if baselines is None else _pixels(baselines, private)
        scores, missing = _scores(private, pixels, empty, targets)
        if watch is not None:
            _watch(private, watch, len(pixels) * chosen.passes(values))
        asked = Question(
            pixels.requires_grad_(), torch.tensor([*map(operator.index, targets)], device=pixels.device), empty
        )
        start = time.perf_counter()
        grids = _run(private, asked, chosen, values).sum(dim=1, keepdim=True)
        coarse = grids.shape[-2:] != pixels.shape[-2:]
        maps = functional.interpolate(grids, pixels.shape[-2:], mode="bilinear") if coarse else grids
        found = maps[:, 0].cpu().contiguous().numpy()
        seconds = (time.perf_counter() - start) / len(pixels)
    promised = (
        scores if chosen.sums_to == SCORE else [score - less for score, less in zip(scores, missing, strict=True)]
    )
    return [
        Attribution(
            method=method,
            values=one,
            signed=chosen.signed,
            target=operator.index(target),
            completeness_error=abs(float(one.sum(dtype="float64")) - total) if chosen.sums_to else None,
            seconds=seconds,
            difference=total,
            grid=grid[0].cpu().numpy() if coarse else None,
            parameters=values,
        )
        for one, target, total, grid in zip(found, targets, promised, grids, strict=True)
    ]


def _private(network: nn.Module) -> nn.Module:
    """A float32 copy in evaluation mode that nobody else holds: captum leaves hooks behind when it fails.

    It comes to the CPU from Apple's GPUs, which have no double precision.
    """
    private = copy.deepcopy(network).eval().requires_grad_(False)
    if any(parameter.device.type == "mps" for parameter in private.parameters()):
        private = private.cpu()
    if isinstance(private, ResidualNetwork):
        private.recompute = 0  # blocks computed twice would call their hooks twice
    for module in private.modules():  # a measurement may be under way on the network; its hooks came along
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
        module._backward_hooks.clear()
        module._backward_pre_hooks.clear()
        if isinstance(module, nn.ReLU | nn.Dropout):
            module.inplace = False
    for tensor in (*private.parameters(), *private.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.float().contiguous()
    return private


def _watch(network: nn.Module, watch: Watch, expected: float) -> None:
    """Tell of each pass through the network, by what it costs in forward passes of one image, `expected` in all."""
    passed = 0.0

    def note(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal passed
        watch(min(1.0, passed / expected))
        passed += len(inputs[0]) * (_BOTH_WAYS if torch.is_grad_enabled() else 1)

    network.register_forward_pre_hook(note)


def _pixels(images: Tensor, network: nn.Module) -> Tensor:
    """(N, 3, H, W) float32 where the network is, nobody else's."""
    if images.ndim != 4:
        raise RequestError(f"the images have shape {tuple(images.shape)}: (N, 3, height, width) is needed")
    device = next((p.device for p in network.parameters()), images.device)
    return images.detach().to(device, torch.float32, copy=True).contiguous()


def _scores(
    network: nn.Module, pixels: Tensor, baselines: Tensor, targets: Sequence[int]
) -> tuple[list[float], list[float]]:
    """The targets' logits for the images and for the baselines; the request is checked on the way.

    In double precision: where both are nearly the same, single precision would be off by more than one map may be.
    """
    if baselines.shape != pixels.shape:
        raise RequestError(f"the baseline has shape {tuple(baselines.shape[1:])}, the image {tuple(pixels.shape[1:])}")
    if len(targets) != len(pixels):
        raise RequestError(f"{len(pixels)} images need as many classes, not {len(targets)}")
    try:
        with torch.no_grad():
            outputs = network.double()(torch.cat([pixels, baselines]).double())
        network.float()  # exact: what single precision held is there again
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise RequestError(f"the network cannot read an image of shape {tuple(pixels.shape[1:])}: {reason}") from None
    classes = outputs.shape[1]
    for target in targets:
        if isinstance(target, bool) or not hasattr(target, "__index__") or not 0 <= operator.index(target) < classes:
            raise RequestError(f"class {target} is unknown: the network has classes 0 to {classes - 1}")
    if not outputs.isfinite().all():
        raise ExplorerError("this network's outputs are not finite numbers: its training diverged, or the image did")
    places = torch.tensor([*map(operator.index, targets)] * 2, device=outputs.device)
    of_targets = outputs.gather(1, places[:, None])[:, 0].tolist()
    return of_targets[: len(targets)], of_targets[len(targets) :]


def _run(network: nn.Module, asked: Question, method: Method, values: dict[str, Any]) -> Tensor:
    """The method's map (N, C, h, w); images one at a time, from one seed each, where it draws."""
    try:
        if not method.draws:
            return method.run(network, asked, **values).detach().float()
        found = []
        for image, target, baseline in zip(asked.images, asked.targets, asked.baselines, strict=True):
            one = Question(image.detach()[None].requires_grad_(), target[None], baseline[None])
            with drawn_from(_SEED, asked.images.device):
                found.append(method.run(network, one, **values).detach().float())
        return torch.cat(found)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ExplorerError(f"{method.label} cannot explain this network: {reason}") from error
