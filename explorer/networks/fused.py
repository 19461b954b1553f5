"""Compiled loops in place of torch's, where a training on a CPU asks for them: relu(BN(x) + carried) at once.

The numbers are the same but for rounding: what torch rounds to bfloat16 between two modules is not rounded here.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

_MOST_THREADS = 2  # of a training: the loops run on one of them, twice as fast as torch's on one
_KINDS = {torch.bfloat16: np.empty(0, np.uint16), torch.float32: np.empty(0, np.float32)}
_asked = ContextVar("asked", default=False)
_heard = ContextVar("heard", default=False)


@contextmanager
def fused() -> Iterator[None]:
    """Inside, compiled loops may do torch's work, and one operation that of several modules."""
    with _set(_asked):
        yield


@contextmanager
def heard() -> Iterator[None]:
    """Inside, each module does its own work, within `fused` too: somebody listens to what BN and sums put out."""
    with _set(_heard):
        yield


@contextmanager
def _set(switch: ContextVar[bool]) -> Iterator[None]:
    token = switch.set(True)
    try:
        yield
    finally:
        switch.reset(token)


def fuses(norm: nn.Module, x: Tensor) -> bool:
    """Whether `rectified` may do the work of this module, a sum and ReLU on this tensor."""
    return not _heard.get() and _may_take(norm, x)


def _may_take(norm: nn.Module, x: Tensor) -> bool:
    """Whether a compiled loop was asked for, and there is one for this module and this tensor."""
    return (
        _asked.get()
        and isinstance(norm, nn.BatchNorm2d)
        and (norm.running_mean is None or norm.momentum is not None)
        and (_gathers(norm) or not torch.is_grad_enabled())
        and _loops_over(x)
        and _lies_in_lanes(x.numel(), x.shape[1])
    )


def sums(x: Tensor) -> Tensor | None:
    """(2,) float64: the sum of all values of a tensor (N, C, H, W) and that of their squares, without a gradient.

    None where compiled loops were not asked for, or there are none.
    """
    if not _is_in_rows(x):
        return None
    found = torch.empty(2, dtype=torch.float64)
    _kernels().add_up(x.data_ptr(), _shape(x.numel(), 1), _KINDS[x.dtype], found.numpy())
    return found


def rectified(norm: nn.Module, relu: nn.Module, x: Tensor, carried: Tensor | None = None) -> Tensor:
    """relu(norm(x) + carried) of two tensors (N, C, H, W); BN gathers its statistics, where it has any.

    Something may be carried where `fuses`; elsewhere sums are modules of their own.
    """
    if not fuses(norm, x):
        assert carried is None
        return overwritten(relu, normalized(norm, x))
    return _compiled(norm, x, carried, 0.0)


def normalized(norm: nn.Module, x: Tensor) -> Tensor:
    """norm(x) of a tensor (N, C, H, W), told to those who listen; by a compiled loop of its own where one may be."""
    if torch.is_grad_enabled() or not (_heard.get() and _may_take(norm, x)):
        alone: Tensor = norm(x)
        return alone
    y = _compiled(norm, x, None, -math.inf)
    for listener in norm._forward_hooks.values():  # as the module itself would
        listener(norm, (x,), y)
    return y


def overwritten(relu: nn.Module, x: Tensor) -> Tensor:
    """relu(x), where nobody reads x afterwards."""
    if torch.is_grad_enabled() or not (_heard.get() and _is_in_rows(x)):
        y: Tensor = relu(x)
        return y
    _kernels().rectify(x.data_ptr(), _shape(x.numel(), 1), _KINDS[x.dtype])
    return x


def _compiled(norm: nn.Module, x: Tensor, carried: Tensor | None, floor: float) -> Tensor:
    """max(norm(x) + carried, floor); BN gathers its statistics, where it has any."""
    bn = cast(nn.BatchNorm2d, norm)
    if bn.training and bn.num_batches_tracked is not None:
        bn.num_batches_tracked.add_(1)
    x = x.contiguous(memory_format=torch.channels_last)
    if carried is not None:
        carried = carried.to(x.dtype).contiguous(memory_format=torch.channels_last)
    y: Tensor = _Rectified.apply(x, carried, bn.weight, bn.bias, bn, floor)
    return y


class _Rectified(torch.autograd.Function):
    """The operation, with its gradient where BN gathered and the floor is 0."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, carried: Tensor | None, weight: Tensor, bias: Tensor, bn: Any, floor: float
    ) -> Tensor:
        """Of tensors with their channels last."""
        y, channels = torch.empty_like(x), x.shape[1]
        used, shape = np.empty((2, channels)), _shape(x.numel(), channels)
        _kernels().normalize(
            x.data_ptr(), _address(carried), y.data_ptr(), weight.data_ptr(), bias.data_ptr(),
            _address(bn.running_mean), _address(bn.running_var), _gathers(bn), bn.momentum or 0.0, bn.eps,
            floor, shape, channels, _KINDS[x.dtype], used,
        )  # fmt: skip
        ctx.save_for_backward(x, y, weight)
        ctx.used, ctx.shape, ctx.joined = used, shape, carried is not None
        return y

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of x, of what was carried, and of BN's weight and bias."""
        x, y, weight = ctx.saved_tensors
        dy = slopes[0].contiguous(memory_format=torch.channels_last)
        dx, dsum = torch.empty_like(x), torch.empty_like(x)
        dweight, dbias = torch.empty_like(weight), torch.empty_like(weight)
        _kernels().differentiate(
            x.data_ptr(), y.data_ptr(), dy.data_ptr(), dx.data_ptr(), dsum.data_ptr(), weight.data_ptr(),
            dweight.data_ptr(), dbias.data_ptr(), ctx.shape, x.shape[1], _KINDS[x.dtype], ctx.used,
        )  # fmt: skip
        return dx, dsum if ctx.joined else None, dweight, dbias, None, None


def _gathers(norm: nn.BatchNorm2d) -> bool:
    """Whether BN normalises with what it is given, not with what it has gathered."""
    return norm.training or norm.running_mean is None


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _loops_over(x: Tensor) -> bool:
    """Whether there are compiled loops for such a tensor, and they are the faster ones."""
    return x.device.type == "cpu" and x.dtype in _KINDS and torch.get_num_threads() <= _MOST_THREADS and _compiles()


def _is_in_rows(x: Tensor) -> bool:
    """Whether a loop was asked for, and may take all values of a tensor (N, C, H, W) in whatever order they lie."""
    in_order = x.is_contiguous(memory_format=torch.channels_last)
    return _asked.get() and _loops_over(x) and in_order and math.prod(_shape(x.numel(), 1)) == x.numel()


def _lies_in_lanes(count: int, channels: int) -> bool:
    times, groups, lanes = _shape(count, channels)
    return (lanes % channels == 0 or channels % lanes == 0) and times * groups * lanes == count


def _shape(count: int, channels: int) -> tuple[int, int, int]:
    groups = max(1, channels // 64)
    return count // (groups * 64), groups, 64


@cache
def _compiles() -> bool:
    return find_spec("numba") is not None


@cache
def _kernels() -> Any:
    """The compiled loops; imported when first used, as numba takes half a second."""
    from explorer.networks import kernels

    return kernels
