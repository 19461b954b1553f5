"""Which paths does the gradient take? Veit, Wilber, Belongie (2016), section 5: the short ones.

A residual network of n blocks is 2^n paths: each block is gone through or around. The gradient is the sum over all.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.errors import RequestError
from explorer.language import tr
from explorer.measurement.borrowing import borrowed
from explorer.measurement.subject import Subject
from explorer.networks.residual import ResidualNetwork
from explorer.networks.residual_blocks import Block
from explorer.records import PathLength, PathsRecord


@dataclass(frozen=True)
class _Walked:
    """One block and what went through it; each tensor's graph ends at `x`."""

    x: Tensor
    residual: Tensor
    shortcut: Tensor
    y: Tensor

    def back(self, gradient: Tensor, through: bool) -> Tensor:
        """The gradient at x if it comes back through F only, or over the shortcut only."""
        (at_sum,) = torch.autograd.grad(self.y, self.residual, gradient, retain_graph=True)  # alike for both summands
        way = self.residual if through else self.shortcut
        if way is self.x:  # an identity shortcut hands its input on as it is
            return at_sum
        (found,) = torch.autograd.grad(way, self.x, at_sum, retain_graph=True)
        return found


def path_lengths(subject: Subject, draws: int, seed: int = 0) -> Iterator[PathsRecord]:
    """The gradient by the number of blocks that a path goes through, shortest first, a record a length.

    For each length so many paths are drawn by chance, and the norm measured that the gradient of the mean
    cross-entropy has at the first block's input when it comes back along that one path; BN normalises with the images'
    own statistics, as in training. The network is left as it was found.

    Raises RequestError for networks that add nothing.
    """
    network = subject.network
    blocks = [block for stage in network.stages.values() for block in stage if isinstance(block, Block)]
    if network.config.shortcut in ("none", "gate"):
        raise RequestError(tr("{network} has one path only: it adds nothing", network=network.config.name))
    chance, norms = random.Random(seed), []
    with borrowed(network, own_statistics=True), torch.enable_grad():
        walked, gradient = _forward(network, blocks, subject)
        for length in range(len(blocks) + 1):
            drawn = [set(chance.sample(range(len(blocks)), length)) for _ in range(_worth(len(blocks), length, draws))]
            norms.append(fmean(_norm(walked, gradient, through) for through in drawn))
            yield PathsRecord(length, length + 1, len(blocks) + 1, shares(norms, len(blocks)))


def shares(norms: Sequence[float], blocks: int) -> tuple[PathLength, ...]:
    """Each length's part of the gradient: how many paths have it, times the mean norm along one of them."""
    weighed = [math.comb(blocks, length) / 2**blocks * norm for length, norm in enumerate(norms)]
    whole = sum(weighed)
    return tuple(
        PathLength(length, math.comb(blocks, length) / 2**blocks, norm, part / whole if whole else 0.0)
        for length, (norm, part) in enumerate(zip(norms, weighed, strict=True))
    )


def _worth(blocks: int, length: int, draws: int) -> int:
    """No more draws than there are paths."""
    return min(draws, math.comb(blocks, length))


def _forward(network: ResidualNetwork, blocks: Sequence[Block], subject: Subject) -> tuple[list[_Walked], Tensor]:
    """What went through each block, and the loss's gradient at what the last one puts out."""
    with torch.no_grad():
        x = network.begin(subject.normalization(subject.images))
    walked = []
    for block in blocks:
        walked.append(_through(block, x.detach().requires_grad_()))
        x = walked[-1].y
    last = x.detach().requires_grad_()
    loss = functional.cross_entropy(network.end(last), subject.labels)
    (gradient,) = torch.autograd.grad(loss, last)
    return walked, gradient


def _through(block: Block, x: Tensor) -> _Walked:
    summands: list[Tensor] = []

    def keep(_module: nn.Module, inputs: tuple[Tensor, Tensor]) -> None:
        summands.extend(inputs)

    assert block.add is not None
    hook = block.add.register_forward_pre_hook(keep)
    try:
        y = block(x)
    finally:
        hook.remove()
    return _Walked(x, summands[0], summands[1], y)


def _norm(walked: Sequence[_Walked], gradient: Tensor, through: set[int]) -> float:
    for index in reversed(range(len(walked))):
        gradient = walked[index].back(gradient, index in through)
    return float(gradient.norm())
