"""Training deep networks in little memory: what few blocks put out is kept, the rest computed again on the way back.

With segments of about the square root of the number of blocks (Chen et al. 2016, "Training Deep Nets with Sublinear
Memory Cost") memory grows with that root in place of the depth, a step takes about a third longer, and the bits are
the same.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from explorer.networks.blocks import Chance


def segment(blocks: int) -> int:
    """How many of so many blocks are best computed again together."""
    return max(1, math.isqrt(blocks))


def kept_share(blocks: int) -> float:
    """The share of all values that stays in memory: the inputs of the segments, and one of them whole."""
    return min(1.0, 1.5 / math.sqrt(blocks))


def recomputed(blocks: Sequence[nn.Module], x: Tensor, length: int) -> Tensor:
    """x through the blocks, in segments of `length`."""
    for start in range(0, len(blocks), length):
        x = _recomputed_segment(nn.Sequential(*blocks[start : start + length]), x)
    return x


def _recomputed_segment(segment: nn.Sequential, x: Tensor) -> Tensor:
    chances = [module.generator for module in segment.modules() if isinstance(module, Chance)]
    drawn = [chance.get_state() for chance in chances]

    @contextmanager
    def again() -> Iterator[None]:
        """The same draws, and BN gathers no statistics a second time."""
        norms = [module for module in segment.modules() if isinstance(module, nn.BatchNorm2d)]
        usual = [(norm.momentum, norm.get_buffer("num_batches_tracked").clone()) for norm in norms]
        after = [chance.get_state() for chance in chances]
        for chance, state in zip(chances, drawn, strict=True):
            chance.set_state(state)
        for norm in norms:
            norm.momentum = 0.0
        try:
            yield
        finally:
            for norm, (momentum, seen) in zip(norms, usual, strict=True):
                norm.momentum = momentum
                norm.get_buffer("num_batches_tracked").copy_(seen)
            for chance, state in zip(chances, after, strict=True):
                chance.set_state(state)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), again()

    out = checkpoint(segment, x, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)
    return cast(Tensor, out)
