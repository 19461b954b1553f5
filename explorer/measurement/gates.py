"""How far do the gates of a Highway network open, and do they look at their input?"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explorer.measurement.borrowing import borrowed
from explorer.networks.blocks import Gate
from explorer.networks.fused import heard
from explorer.records import GateOpenness

_SHUT = 0.9  # T above: the shortcut lets less than a tenth of the input through


def gate_openness(network: nn.Module, images: Tensor) -> tuple[GateOpenness, ...]:
    """Mean and spread of T(x) over images, channels and places, for each gate in the order of the signal.

    `images` is a normalised batch (N, 3, H, W). 0 carries the input on, 1 is a plain layer. A network without gates
    has none. The network is left as it was found.
    """
    with gates_heard(network) as found, borrowed(network, own_statistics=False), torch.no_grad():
        network(images)
    return found()


@contextmanager
def gates_heard(network: nn.Module) -> Iterator[Callable[[], tuple[GateOpenness, ...]]]:
    """The same of all images that go through the network while the context lasts; call what it gives afterwards."""
    gates = {name.removesuffix(".gate"): module for name, module in network.named_modules() if isinstance(module, Gate)}
    listeners = {name: _Listener() for name in gates}
    with heard(), ExitStack() as stack:
        for name, gate in gates.items():
            stack.callback(gate.register_forward_hook(listeners[name].add).remove)
        yield lambda: tuple(one.openness(name) for name, one in listeners.items())


class _Listener:
    """Sums of one gate's openness, by channel, however many batches it comes in; waits for no device."""

    def __init__(self) -> None:
        self._count = 0  # of a channel's values
        self._sums: Tensor | float = 0.0  # (2, channels): of the values, of their squares
        self._shut: Tensor | float = 0.0  # part of the values, times their number

    def add(self, _module: nn.Module, _inputs: Any, output: Tensor) -> None:
        """Take in (N, C, H, W)."""
        values = output.detach().double()
        number = values.numel() // values.shape[1]
        self._count += number
        self._sums = self._sums + torch.stack([values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])
        self._shut = self._shut + (values > _SHUT).double().mean() * number

    def openness(self, block: str) -> GateOpenness:
        """All of it; the network must have seen images."""
        means, squares = torch.as_tensor(self._sums) / self._count
        mean, within = means.mean(), (squares - means.square()).clamp(min=0).mean()
        std = (squares.mean() - mean.square()).clamp(min=0).sqrt()
        return GateOpenness(block, float(mean), float(std), float(within.sqrt()), float(self._shut) / self._count)
