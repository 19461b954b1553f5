"""SGD with momentum and weight decay (section 3.4), the one optimizer that the paper's networks are trained by."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Descent:
    """What torch.optim.SGD does, without the second that importing what that brings along takes."""

    def __init__(self, weights: Iterable[nn.Parameter], momentum: float, weight_decay: float) -> None:
        self.weights = list(weights)
        self.momenta = [torch.zeros_like(weight) for weight in self.weights]
        """In the order of the weights; they stay where they are."""
        self._momentum, self._weight_decay = momentum, weight_decay

    def forget_gradients(self) -> None:
        """As before the first step: what is computed next is not added to anything."""
        for weight in self.weights:
            weight.grad = None

    def step(self, rate: float | Tensor) -> None:
        """v = momentum v + gradient + weight decay w, then w = w - rate v, wherever there is a gradient.

        Weights and gradients lie in memory alike, as autograd leaves them; the kernel does not look.
        """
        weights: list[Tensor] = []
        gradients: list[Tensor] = []
        momenta: list[Tensor | None] = []
        for weight, momentum in zip(self.weights, self.momenta, strict=True):
            if weight.grad is not None:  # stochastic depth leaves some without one
                weights.append(weight)
                gradients.append(weight.grad)
                momenta.append(momentum)
        with torch.no_grad():
            sgd(
                weights, gradients, momenta, fused=True, lr=rate, momentum=self._momentum,
                weight_decay=self._weight_decay, dampening=0.0, nesterov=False, maximize=False,
            )  # fmt: skip

    def restore(self, momenta: Sequence[Tensor]) -> None:
        """Go on from these momenta, which are copied."""
        for momentum, kept in zip(self.momenta, momenta, strict=True):
            momentum.copy_(kept)
