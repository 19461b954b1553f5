"""Mean and standard deviation of signals, gathered while a network does something else with its images."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from explorer.networks.fused import heard, sums

Signal = tuple[nn.Module, Callable[[tuple[Tensor, ...], Tensor], Tensor]]
"""A module, and which of its inputs and output is meant."""


class Moments:
    """Of all values of one signal, however many batches it comes in."""

    def __init__(self) -> None:
        self._batches: list[tuple[int, Tensor]] = []

    def add(self, signal: Tensor) -> None:
        """Take in one more batch, of any shape; waits for no device."""
        values = signal.detach()
        totals = sums(values)
        if totals is None:
            norm = torch.linalg.vector_norm(values, dtype=torch.float32)  # ten times as fast as var_mean
            totals = torch.stack([values.sum(dtype=torch.float32), norm.square()])
        self._batches.append((values.numel(), totals))

    @property
    def std(self) -> float:
        """Standard deviation of the values themselves, without correction."""
        mean, square = self._mean_and_square()
        return float(max(square - mean**2, 0.0) ** 0.5)

    @property
    def rms(self) -> float:
        """Root of the mean square."""
        return float(self._mean_and_square()[1] ** 0.5)

    def _mean_and_square(self) -> tuple[float, float]:
        count = sum(count for count, _ in self._batches)
        values, squares = zip(*(totals.tolist() for _, totals in self._batches), strict=True)
        return sum(values) / count, sum(squares) / count


@contextmanager
def listening(signals: Mapping[str, Signal]) -> Iterator[dict[str, Moments]]:
    """The moments of each signal, of all that goes through the network while the context lasts."""
    moments = {name: Moments() for name in signals}

    def add(name: str, _module: nn.Module, inputs: Any, output: Any) -> None:
        moments[name].add(signals[name][1](inputs, output))

    with heard(), ExitStack() as stack:
        for name, (module, _) in signals.items():
            stack.callback(module.register_forward_hook(partial(add, name)).remove)
        yield moments
