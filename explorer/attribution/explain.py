"""Ask one network which pixels of one image counted for one class."""

import copy
import operator
import time
from typing import Any

import captum.attr  # noqa: F401 - loaded now, so that no method's time holds its import
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.attribution.methods import METHODS, Method
from explorer.errors import ExplorerError, RequestError
from explorer.records import Attribution


def attribute(network: nn.Module, image: Tensor, target: int, method: str, **parameters: Any) -> Attribution:
    """The map of one method for class `target`, with (H, W) float32 values in `Attribution.values`.

    `image` is normalised, (3, H, W); the outputs explained are logits. `METHODS` lists the methods and their
    parameters. All work happens on a copy of the network, so the network itself may be shared between threads and
    keeps its mode, hooks and gradients, whatever happens. On a CPU the same request gives the same bits. `seconds`
    is the method's own time, without the copying.

    Raises RequestError for an unknown method, parameter or class and for an image of another shape, and
    ExplorerError where the network's outputs are not finite or the method cannot follow the network.
    """
    chosen = METHODS.get(method)
    if chosen is None:
        raise RequestError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    values = _parameters(method, chosen, parameters)
    if image.ndim != 3:
        raise RequestError(f"the image has shape {tuple(image.shape)}: one image (3, height, width) is needed")
    device_type = next((p.device.type for p in network.parameters()), "cpu")
    # Whatever mode the caller is in, gradients are needed here, in full precision.
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast(device_type, enabled=False):
        private = _private(network)
        pixels = _pixels(image, private)
        output, at_baseline = _outputs(private, pixels, target)
        start = time.perf_counter()
        grid = _run(private, pixels, operator.index(target), chosen, values)
        summed = grid.sum(dim=1, keepdim=True)
        full = (
            functional.interpolate(summed, pixels.shape[-2:], mode="bilinear") if _is_coarse(grid, pixels) else summed
        )
        full_values = full[0, 0].cpu().contiguous().numpy()
        seconds = time.perf_counter() - start
    return Attribution(
        method=method,
        values=full_values,
        signed=chosen.signed,
        target=operator.index(target),
        completeness_error=abs(float(full.double().sum()) - (output - at_baseline)) if chosen.complete else None,
        seconds=seconds,
        difference=output - at_baseline,
        grid=summed[0, 0].cpu().numpy() if _is_coarse(grid, pixels) else None,
        parameters=values,
    )


def _parameters(name: str, method: Method, given: dict[str, Any]) -> dict[str, Any]:
    """All parameters of the method: those given, checked, and defaults for the others."""
    unknown = sorted(set(given) - set(method.parameters))
    if unknown:
        known = ", ".join(method.parameters) or "none"
        raise RequestError(f"{name} has no parameter {', '.join(unknown)}: it has {known}")
    return {key: known.read(key, given.get(key, known.default)) for key, known in method.parameters.items()}


def _private(network: nn.Module) -> nn.Module:
    """A float32 copy in evaluation mode that nobody else holds: captum leaves hooks behind when it fails."""
    private = copy.deepcopy(network).eval().requires_grad_(False)
    for module in private.modules():  # a measurement may be under way on the network; its hooks came along
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
        module._backward_hooks.clear()
        module._backward_pre_hooks.clear()
    for tensor in (*private.parameters(), *private.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.float().contiguous()
    return private


def _pixels(image: Tensor, network: nn.Module) -> Tensor:
    """(1, 3, H, W) float32 where the network is, requiring gradients."""
    device = next((p.device for p in network.parameters()), image.device)
    pixels = image.detach().to(device, torch.float32, copy=True).contiguous()
    return pixels[None].requires_grad_()


def _outputs(network: nn.Module, pixels: Tensor, target: int) -> tuple[float, float]:
    """The target's logit for the image and for the mean image; the request is checked on the way."""
    try:
        with torch.no_grad():
            outputs = network(torch.cat([pixels, torch.zeros_like(pixels)])).double()
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise RequestError(f"the network cannot read an image of shape {tuple(pixels.shape[1:])}: {reason}") from None
    classes = outputs.shape[1]
    if isinstance(target, bool) or not hasattr(target, "__index__") or not 0 <= operator.index(target) < classes:
        raise RequestError(f"class {target} is unknown: the network has classes 0 to {classes - 1}")
    if not outputs.isfinite().all():
        raise ExplorerError("this network's outputs are not finite numbers: its training diverged, or the image did")
    output, at_baseline = outputs[:, operator.index(target)].tolist()
    return output, at_baseline


def _run(network: nn.Module, pixels: Tensor, target: int, method: Method, values: dict[str, Any]) -> Tensor:
    try:
        return method.run(network, pixels, target, **values).detach().float()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ExplorerError(f"{method.label} cannot explain this network: {reason}") from error


def _is_coarse(grid: Tensor, pixels: Tensor) -> bool:
    return grid.shape[-2:] != pixels.shape[-2:]
