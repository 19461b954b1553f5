"""A step captured as a CUDA graph: the GPU launches its kernels, some hundreds, together and not one by one.

The networks of section 4.2 are so small that a GPU computes each of their layers in less time than its launch takes.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from explorer.networks.blocks import Chance

_FIRST = 3  # steps that are never captured: in them libraries set themselves up
_log = logging.getLogger(__name__)

Step = Callable[..., Tensor]
"""Takes tensors, changes others in place, gives back one; it reads no value on the CPU."""


def captures(network: nn.Module, device: str) -> bool:
    """Whether steps of this network can be captured: not if some is drawn on the CPU, or computed again on the way."""
    draws = any(isinstance(module, Chance) for module in network.modules())
    return device == "cuda" and not draws and not getattr(network, "recompute", 0)


class Captured:
    """`step`, captured after the first few calls if that gives the same bits, which is tried; else as it is.

    Every call's tensors have the shapes of the first one's. The tensor given back holds until the next call.
    """

    def __init__(self, step: Step, changed: Sequence[Tensor]) -> None:
        """`changed`: all tensors that `step` changes; they stay where they are as long as this lives."""
        self._step, self._changed = step, changed
        self._calls = 0
        self._graph: _Graph | None = None

    def __call__(self, *inputs: Tensor) -> Tensor:
        """What `step` gives back, and does, with these tensors."""
        self._calls += 1
        if self._calls == _FIRST + 1:
            return self._tried(inputs)
        return self._step(*inputs) if self._graph is None else self._graph.replay(inputs)

    def _tried(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Take a step as usual, then the same one captured, and keep the graph if nobody can tell them apart."""
        before = [tensor.clone() for tensor in self._changed]
        usual = self._step(*inputs)
        after = [tensor.clone() for tensor in self._changed]
        _write(self._changed, before)
        try:
            graph = _Graph(self._step, inputs)
            again = graph.replay(inputs)
            if all(map(torch.equal, [*self._changed, again], [*after, usual])):
                self._graph = graph
                return again
            why = "captured, a step has other bits"
        except RuntimeError as error:
            why = str(error).splitlines()[0]
        _log.warning("steps are not captured but taken one kernel at a time: %s", why)
        _write(self._changed, after)
        return usual


class _Graph:
    """One step, which reads its inputs from, and writes to, the same places each time."""

    def __init__(self, step: Step, inputs: tuple[Tensor, ...]) -> None:
        """Capture it: nothing is computed. Raises RuntimeError where something in it cannot be captured."""
        self._inputs = [tensor.clone() for tensor in inputs]
        self._graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        # The outer context is left even where capturing fails; the inner one then is not
        with torch.cuda.stream(stream), torch.cuda.graph(self._graph, None, stream, "thread_local"):
            self._output = step(*self._inputs)

    def replay(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The step with these inputs."""
        _write(self._inputs, inputs)
        self._graph.replay()
        return self._output


@torch.no_grad()
def _write(places: Iterable[Tensor], values: Iterable[Tensor]) -> None:
    for place, value in zip(places, values, strict=True):
        place.copy_(value)
