"""BN, sum and ReLU in as few passes over memory as they can be had, compiled for this processor.

torch has an operation for each of them, and each reads and writes all values: together they took 28 to 38 % of a
training step of resnet-20 on a CPU (docs/performance.md). numba compiles these loops when they are first called and
keeps the machine code on disk.

Values lie with their channels last. They are taken as (times, groups, LANES) numbers: the number at (t, g, l) belongs
to channel (g LANES + l) modulo the number of channels, whatever t is, and a row of lanes takes the processor a few
instructions. What is summed is collected row by row, in one order: the same bits every time.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

LANES = 64
_TIMES = 128  # rows that are summed in single precision before they are added in double


def _compiled(function: Callable[..., Any]) -> Any:
    """The function, compiled when first called; what was compiled is kept where there is a place for it."""
    # All that "fast" mathematics allows, but NaN stays NaN: a training that diverges must be seen to
    options = {"fastmath": {"nsz", "contract", "reassoc", "arcp"}, "error_model": "numpy", "nogil": True}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # neither this folder nor the user's own can be written to
        return njit(**options)(function)


def _instruction(function: Callable[..., Any]) -> Any:
    """What a function says of its arguments and writes for LLVM, as a function that compiled code can call."""
    return intrinsic(function)


@_instruction
def _pointer(_: Any, address: Any) -> Any:
    """The memory at an address."""

    def code(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return builder.inttoptr(given[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), code


@_instruction
def _read(_: Any, stored: Any) -> Any:
    """A number in single precision. numba does not know bfloat16: that is the upper half of it, as an integer."""

    def code(_: Any, builder: Any, __: Any, given: Any) -> Any:
        if stored != types.uint16:
            return given[0]
        bits = builder.zext(given[0], ir.IntType(32))
        return builder.bitcast(builder.shl(bits, _bits(16)), ir.FloatType())

    return types.float32(stored), code


@_instruction
def _rounded(_: Any, number: Any, stored: Any) -> Any:
    """A number as `stored` is stored: as bfloat16 rounded to the nearest, ties to even."""

    def code(_: Any, builder: Any, __: Any, given: Any) -> Any:
        if stored != types.uint16:
            return given[0]
        bits = builder.bitcast(given[0], ir.IntType(32))
        odd = builder.and_(builder.lshr(bits, _bits(16)), _bits(1))
        up = builder.add(builder.add(bits, _bits(0x7FFF)), odd)
        return builder.trunc(builder.lshr(up, _bits(16)), ir.IntType(16))

    return stored(types.float32, stored), code


def _bits(number: int) -> ir.Constant:
    return ir.Constant(ir.IntType(32), number)


@_compiled
def _values(address: int, shape: tuple[int, int, int], kind: Any) -> Any:
    return carray(_pointer(address), shape, kind.dtype)


@_compiled
def _weights(address: int, channels: int) -> Any:
    return carray(_pointer(address), channels, np.float32)


@_compiled
def normalize(
    x_at: int, carried_at: int, y_at: int, weight_at: int, bias_at: int, mean_at: int, variance_at: int,
    gathers: bool, momentum: float, epsilon: float, floor: float, shape: tuple[int, int, int], channels: int, kind: Any,
    used: Any,
) -> None:  # fmt: skip
    """y = max(BN(x) + carried, floor), of tensors of one shape at these addresses; nothing is carried from address 0.

    With `gathers` BN uses the mean and the variance of x, and what is gathered of them at the addresses `mean_at` and
    `variance_at` moves on by `momentum`, nothing at address 0; else it uses what was gathered. What it used is written
    to `used`, (2, channels) in float64: mean and 1 / standard deviation. `kind` is an array of the type stored, float32
    or uint16.
    """
    x, y = _values(x_at, shape, kind), _values(y_at, shape, kind)
    weight, bias = _weights(weight_at, channels), _weights(bias_at, channels)
    mean, variance = _weights(mean_at, channels), _weights(variance_at, channels)
    if gathers:
        _gather(x, channels, used)
        count = x.size / channels
        for channel in range(channels if mean_at else 0):
            mean[channel] += momentum * (used[0, channel] - mean[channel])
            variance[channel] += momentum * (used[1, channel] * count / (count - 1) - variance[channel])
    else:
        for channel in range(channels):
            used[0, channel], used[1, channel] = mean[channel], variance[channel]
    lines = np.empty((2, shape[1], LANES), np.float32)
    for channel in range(channels):
        used[1, channel] = 1 / np.sqrt(used[1, channel] + epsilon)
    for group in range(shape[1]):
        for lane in range(LANES):
            channel = (group * LANES + lane) % channels
            lines[0, group, lane] = weight[channel] * used[1, channel]
            lines[1, group, lane] = bias[channel] - weight[channel] * used[1, channel] * used[0, channel]
    if carried_at:
        _rectify_sum(x, _values(carried_at, shape, kind), lines, np.float32(floor), y)
    else:
        _rectify(x, lines, np.float32(floor), y)


@_compiled
def differentiate(
    x_at: int, y_at: int, dy_at: int, dx_at: int, dsum_at: int, weight_at: int, dweight_at: int, dbias_at: int,
    shape: tuple[int, int, int], channels: int, kind: Any, used: Any,
) -> None:  # fmt: skip
    """The gradients with respect to x, to the sum (also that of what was carried) and to BN's weight and bias.

    x, y and `used` are those of a call of `normalize` that gathered, `dy` is the gradient with respect to y.
    """
    x, y = _values(x_at, shape, kind), _values(y_at, shape, kind)
    dy, dx = _values(dy_at, shape, kind), _values(dx_at, shape, kind)
    dsum = _values(dsum_at, shape, kind)
    weight = _weights(weight_at, channels)
    dweight, dbias = _weights(dweight_at, channels), _weights(dbias_at, channels)
    centres, sums = np.empty((shape[1], LANES), np.float32), np.zeros((2, shape[1], LANES))
    for group in range(shape[1]):
        for lane in range(LANES):
            centres[group, lane] = used[0, (group * LANES + lane) % channels]
    _through_relu(x, y, dy, centres, dsum, sums)
    totals = _of_channels(sums, channels)
    planes, count = np.empty((3, shape[1], LANES), np.float32), x.size / channels
    for channel in range(channels):
        totals[1, channel] *= used[1, channel]
        dbias[channel], dweight[channel] = totals[0, channel], totals[1, channel]
    for group in range(shape[1]):
        for lane in range(LANES):
            channel = (group * LANES + lane) % channels
            slope = weight[channel] * used[1, channel]
            bend = -slope * used[1, channel] * totals[1, channel] / count
            planes[0, group, lane], planes[1, group, lane] = slope, bend
            planes[2, group, lane] = -slope * totals[0, channel] / count - bend * used[0, channel]
    _through_bn(x, dsum, planes, dx)


@_compiled
def rectify(x_at: int, shape: tuple[int, int, int], kind: Any) -> None:
    """Write 0 over all values below 0 of the tensor at this address."""
    x = _values(x_at, shape, kind)
    for time in range(len(x)):
        for group in range(x.shape[1]):
            for lane in range(LANES):
                if _read(x[time, group, lane]) <= np.float32(0):
                    x[time, group, lane] = 0


@_compiled
def add_up(x_at: int, shape: tuple[int, int, int], kind: Any, totals: Any) -> None:
    """Write to `totals` the sum of all values of the tensor at this address, and of their squares."""
    sums = np.zeros((2, shape[1], LANES))
    _moments(_values(x_at, shape, kind), np.zeros((shape[1], LANES), np.float32), sums)
    totals[0], totals[1] = sums[0].sum(), sums[1].sum()


@_compiled
def _gather(x: Any, channels: int, moments: Any) -> None:
    """Mean and variance of each channel, around its first value: squares of large numbers would lose small ones."""
    centres, sums = np.empty((x.shape[1], LANES), np.float32), np.zeros((2, x.shape[1], LANES))
    for group in range(x.shape[1]):
        for lane in range(LANES):
            first = (group * LANES + lane) % channels
            centres[group, lane] = _read(x[0, first // LANES, first % LANES])
    _moments(x, centres, sums)
    totals, count = _of_channels(sums, channels), x.size / channels
    for channel in range(channels):
        above = totals[0, channel] / count
        moments[0, channel] = centres[channel // LANES, channel % LANES] + above
        moments[1, channel] = max(totals[1, channel] / count - above * above, 0.0)


@_compiled
def _of_channels(sums: Any, channels: int) -> Any:
    """(2, groups, LANES) to (2, channels)."""
    totals = np.zeros((2, channels))
    for group in range(sums.shape[1]):
        for lane in range(LANES):
            totals[0, (group * LANES + lane) % channels] += sums[0, group, lane]
            totals[1, (group * LANES + lane) % channels] += sums[1, group, lane]
    return totals


@_compiled
def _moments(x: Any, centres: Any, sums: Any) -> None:
    """Add up what x is above its centre, and the square of that."""
    some = np.empty((2, LANES), np.float32)
    for group in range(x.shape[1]):
        for start in range(0, len(x), _TIMES):
            for lane in range(LANES):
                some[0, lane] = some[1, lane] = 0
            for time in range(start, min(start + _TIMES, len(x))):
                for lane in range(LANES):
                    above = _read(x[time, group, lane]) - centres[group, lane]
                    some[0, lane] += above
                    some[1, lane] += above * above
            for lane in range(LANES):
                sums[0, group, lane] += some[0, lane]
                sums[1, group, lane] += some[1, lane]


@_compiled
def _rectify(x: Any, lines: Any, floor: Any, y: Any) -> None:
    for time in range(len(x)):
        for group in range(x.shape[1]):
            for lane in range(LANES):
                value = lines[0, group, lane] * _read(x[time, group, lane]) + lines[1, group, lane]
                y[time, group, lane] = _rounded(floor if value <= floor else value, x[time, group, lane])


@_compiled
def _rectify_sum(x: Any, carried: Any, lines: Any, floor: Any, y: Any) -> None:
    for time in range(len(x)):
        for group in range(x.shape[1]):
            for lane in range(LANES):
                value = lines[0, group, lane] * _read(x[time, group, lane]) + lines[1, group, lane]
                value += _read(carried[time, group, lane])
                y[time, group, lane] = _rounded(floor if value <= floor else value, x[time, group, lane])


@_compiled
def _through_relu(x: Any, y: Any, dy: Any, centres: Any, dsum: Any, sums: Any) -> None:
    """The gradient before ReLU; add it up, and its product with what x is above its centre."""
    some = np.empty((2, LANES), np.float32)
    for group in range(x.shape[1]):
        for start in range(0, len(x), _TIMES):
            for lane in range(LANES):
                some[0, lane] = some[1, lane] = 0
            for time in range(start, min(start + _TIMES, len(x))):
                for lane in range(LANES):
                    passed = dy[time, group, lane] if y[time, group, lane] != 0 else dy.dtype.type(0)
                    dsum[time, group, lane] = passed
                    some[0, lane] += _read(passed)
                    some[1, lane] += _read(passed) * (_read(x[time, group, lane]) - centres[group, lane])
            for lane in range(LANES):
                sums[0, group, lane] += some[0, lane]
                sums[1, group, lane] += some[1, lane]


@_compiled
def _through_bn(x: Any, dsum: Any, planes: Any, dx: Any) -> None:
    for time in range(len(x)):
        for group in range(x.shape[1]):
            for lane in range(LANES):
                value = planes[0, group, lane] * _read(dsum[time, group, lane])
                value += planes[1, group, lane] * _read(x[time, group, lane]) + planes[2, group, lane]
                dx[time, group, lane] = _rounded(value, x[time, group, lane])
