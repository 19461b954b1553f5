"""Whether a training fits: asked before anything is built."""

import psutil

from explorer.config import RunConfig
from explorer.errors import RequestError
from explorer.summary import summary

_FLOAT32 = 4
_COPIES = 3  # weights, their gradients, SGD's momentum


def training_bytes(config: RunConfig) -> int:
    """Bytes that training takes in float32: the weights three times, and what all layers put out for a batch.

    Measured peaks were 0.8 to 1.1 times this for plain and residual networks, 1.4 times for Highway networks, whose
    gates autograd keeps too, and half of it in bfloat16.
    """
    outline = summary(config.network, config.training.image_size)
    return _FLOAT32 * (_COPIES * outline.parameters + outline.values * config.training.batch_size)


def check_training(config: RunConfig, free: int | None = None) -> None:
    """Refuse a run that would not fit into `free` bytes (this machine's free memory, unless told)."""
    needed, there = training_bytes(config), psutil.virtual_memory().available if free is None else free
    if needed > there:
        raise RequestError(
            f"training {config.network.name} with batches of {config.training.batch_size} takes about "
            f"{_written(needed)} of memory, and {_written(there)} are free: choose fewer layers, a smaller width "
            "or a smaller batch"
        )


def _written(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
