"""A network lent to a measurement: in evaluation mode inside, as it was found afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def borrowed(network: nn.Module, own_statistics: bool) -> Iterator[None]:
    """Evaluation mode inside; with `own_statistics` BN normalises with what it is shown, as in training.

    Afterwards every module has its own mode and its gathered statistics again.
    """
    modes = [(module, module.training) for module in network.modules()]
    norms = [module for module, _ in modes if isinstance(module, nn.BatchNorm2d)] if own_statistics else []
    gathered = [(bn, bn.running_mean, bn.running_var) for bn in norms]
    network.eval()
    try:
        for bn in norms:
            bn.running_mean = bn.running_var = None  # BN without them uses the batch's own
        yield
    finally:
        for bn, mean, var in gathered:
            bn.running_mean, bn.running_var = mean, var
        for module, training in modes:
            module.training = training


def has_gathered(network: nn.Module) -> bool:
    """Whether BN has statistics to normalise with in evaluation mode: none before the first step of training."""
    counts = [m.num_batches_tracked for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    return not counts or any(count is not None and bool(count > 0) for count in counts)
