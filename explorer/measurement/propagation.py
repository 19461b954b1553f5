"""How much does each block add to what it is given, before the first step? De and Smith (2020)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, geometric_mean

import torch
from torch import Tensor

from explorer.config import NetworkConfig
from explorer.errors import RequestError
from explorer.language import tr
from explorer.measurement.borrowing import borrowed
from explorer.measurement.moments import Signal, listening
from explorer.networks.build import build
from explorer.networks.residual_blocks import Block


@dataclass(frozen=True)
class BlockSignal:
    """One block of an untrained network: mean squares over images, channels and places.

    Of numbers whose mean is zero over random weights, as those of F(x) and of a sum of them are, that is the variance.
    """

    block: str
    """stage1.0 …"""
    branch: float
    """Of F(x), with its factor where it has one."""
    carried: float | None
    """Of what comes over the shortcut; None in a plain network."""
    trunk: float | None
    """Of the sum of both, before the nonlinearity; None in a plain network."""

    @property
    def share(self) -> float | None:
        """The branch's part of the sum, 0 … 1, as both would add if they were uncorrelated."""
        return None if self.carried is None else self.branch / (self.branch + self.carried)


def propagation(config: NetworkConfig, images: Tensor, seed: int = 0) -> tuple[BlockSignal, ...]:
    """The signal in every block of the untrained network of `config`, on a normalised batch (N, 3, H, W).

    BN normalises with the batch's own statistics, as in the first step of a training. What De and Smith say of
    blocks that keep the shape: with BN each branch has variance 1, so that the trunk's is l after l blocks and the
    branch's share falls like 1/l; without, the branch has the trunk's, which doubles in each block. Where the shape
    changes, the zeros of option A halve the trunk's. Plain and residual networks of basic blocks.
    """
    if config.block != "basic" or config.shortcut == "gate":
        raise RequestError(
            tr("{network}: the signal is measured in basic blocks that add, or have no shortcut", network=config.name)
        )
    network = build(config, seed)
    blocks = {name: block for name, block in network.named_modules() if isinstance(block, Block)}
    signals = {f"{name} {part}": signal for name, block in blocks.items() for part, signal in _parts(block).items()}
    with listening(signals) as moments, borrowed(network, own_statistics=True), torch.no_grad():
        network(images)
    squares = {signal: found.rms**2 for signal, found in moments.items()}
    return tuple(
        BlockSignal(name, squares[f"{name} branch"], squares.get(f"{name} carried"), squares.get(f"{name} trunk"))
        for name in blocks
    )


def rise(signals: Sequence[BlockSignal]) -> float:
    """By how much the trunk's mean square rises in a block, on average over blocks that keep the shape."""
    return fmean(after - before for before, after in _within_stages(signals))


def factor(signals: Sequence[BlockSignal]) -> float:
    """What the trunk's mean square is multiplied by in a block, on average over blocks that keep the shape."""
    return geometric_mean(after / before for before, after in _within_stages(signals))


def _parts(block: Block) -> dict[str, Signal]:
    """What passes where F and the shortcut meet, or what F puts out where there is none."""
    if block.add is None:
        return {"branch": (block.get_submodule(block.responses["conv2"]), lambda _, output: output)}
    return {
        "branch": (block.add, lambda inputs, _: inputs[0]),
        "carried": (block.add, lambda inputs, _: inputs[1]),
        "trunk": (block.add, lambda _, output: output),
    }


def _within_stages(signals: Sequence[BlockSignal]) -> list[tuple[float, float]]:
    return [
        (before.trunk, after.trunk)
        for before, after in pairwise(signals)
        if before.trunk and after.trunk and _stage(before) == _stage(after)
    ]


def _stage(signal: BlockSignal) -> str:
    return signal.block.partition(".")[0]
