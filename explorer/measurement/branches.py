"""How much does a block change what it is given? The size of F(x) beside that of x (section 3.1, Figure 7)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from explorer.measurement.borrowing import borrowed
from explorer.measurement.moments import listening
from explorer.networks.blocks import Add
from explorer.records import BlockBranch


def block_branches(network: nn.Module, images: Tensor, own_statistics: bool = False) -> tuple[BlockBranch, ...]:
    """Root mean square of F(x) and of what comes over the shortcut in every residual block, in the signal's order.

    `images` is a normalised batch (N, 3, H, W); `own_statistics` as for `layer_responses`. Empty for a network that
    adds nothing: plain ones, and Highway networks, which mix. The network is left as it was found.
    """
    with branches_heard(network) as found, borrowed(network, own_statistics), torch.no_grad():
        network(images)
    return found()


@contextmanager
def branches_heard(network: nn.Module) -> Iterator[Callable[[], tuple[BlockBranch, ...]]]:
    """The same of all images that go through the network while the context lasts; call what it gives afterwards."""
    sums = {name.removesuffix(".add"): module for name, module in network.named_modules() if isinstance(module, Add)}
    residuals = {name: (module, lambda inputs, _: inputs[0]) for name, module in sums.items()}
    shortcuts = {name: (module, lambda inputs, _: inputs[1]) for name, module in sums.items()}
    with listening(residuals) as residual, listening(shortcuts) as shortcut:
        yield lambda: tuple(BlockBranch(name, residual[name].rms, shortcut[name].rms) for name in sums)
