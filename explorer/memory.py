"""Whether a training fits: asked before anything is built."""

from explorer.config import RunConfig
from explorer.device import free_memory
from explorer.errors import RequestError
from explorer.language import tr

_FLOAT32 = 4
_COPIES = 3  # weights, their gradients, SGD's momentum


def training_bytes(config: RunConfig, recompute: bool = False) -> int:
    """Bytes that training takes in float32: the weights three times, and what all layers put out for a batch.

    Of the latter only a share where blocks are computed again (networks/recompute.py). Measured peaks were 0.8 to 1.1
    times this for plain and residual networks, 1.4 times for Highway networks, whose gates autograd keeps too, and half
    of it in bfloat16.
    """
    from explorer.networks.recompute import kept_share  # torch: a list of runs should not wait for it
    from explorer.summary import summary

    outline = summary(config.network, config.training.image_size)
    share = kept_share(sum(config.network.blocks)) if recompute else 1.0
    return _FLOAT32 * (_COPIES * outline.parameters + round(share * outline.values * config.training.batch_size))


def must_recompute(config: RunConfig, free: int | None = None) -> bool:
    """Whether a run fits into `free` bytes (by default what the device has) only if blocks are computed again."""
    return training_bytes(config) > (free_memory() if free is None else free)


def check_training(config: RunConfig, free: int | None = None) -> None:
    """Refuse a run that would not fit into `free` bytes (what the device has free, unless told) even so."""
    needed, there = training_bytes(config, recompute=True), free_memory() if free is None else free
    if needed > there:
        raise RequestError(
            tr(
                "training {network} with batches of {batch} takes about {needed} of memory, and {free} are free: "
                "choose fewer layers, a smaller width or a smaller batch",
                network=config.network.name,
                batch=config.training.batch_size,
                needed=_written(needed),
                free=_written(there),
            )  # fmt: skip
        )


def _written(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
