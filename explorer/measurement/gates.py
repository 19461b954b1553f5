"""How far do the gates of a Highway network open?"""

import torch
from torch import Tensor, nn

from explorer.networks.blocks import Gate
from explorer.records import GateOpenness


def gate_openness(network: nn.Module, images: Tensor) -> tuple[GateOpenness, ...]:
    """Mean and spread of T(x) over images, channels and places, for each gate in the order of the signal.

    `images` is a normalised batch (N, 3, H, W). 0 carries the input on, 1 is a plain layer. A network without gates
    has none. The network is left as it was found.
    """
    found: dict[str, GateOpenness] = {}

    def keep(name: str) -> "nn.modules.module._ForwardHook":  # type: ignore[name-defined]
        def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], openness: Tensor) -> None:
            values = openness.float()
            found[name] = GateOpenness(name, float(values.mean()), float(values.std(correction=0)))

        return hook

    handles = [
        module.register_forward_hook(keep(name.removesuffix(".gate")))
        for name, module in network.named_modules()
        if isinstance(module, Gate)
    ]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(images)
    finally:
        network.train(training)
        for handle in handles:
            handle.remove()
    return tuple(found.values())
