"""From a config to a network: with all its weights, or only its shape."""

import hashlib
import math

import torch
from torch import nn

from explorer.config import NetworkConfig
from explorer.device import free_ram
from explorer.errors import RequestError
from explorer.language import tr
from explorer.networks.blocks import Chance, Gate, Scale
from explorer.networks.residual import ResidualNetwork

_MORE_THAN_A_FILE = 10_000_000  # parameters: 40 MB


def build(config: NetworkConfig, seed: int = 0, *, numbers: int | None = None) -> ResidualNetwork:
    """The network with its initial weights, on the CPU, in training mode.

    For a file's weights `numbers` is how many it holds: a much larger network, which a small file may name, is refused
    before it takes memory.

    Each tensor's numbers depend on the seed and on its own name alone, so a plain network and its residual twin
    start from the same weights, with any shortcut option, and no global random state is read or changed.
    """
    with torch.device("meta"):
        network = ResidualNetwork(config)
    _check_it_fits(network, numbers)
    network.to_empty(device="cpu")
    for name, module in network.named_modules():
        _initialise(name, module, config, seed)
    for module in network.modules():
        if isinstance(module, Gate) and module.conv.bias is not None:
            nn.init.constant_(module.conv.bias, config.gate_bias)
    return network


def _check_it_fits(network: ResidualNetwork, numbers: int | None) -> None:
    parameters = sum(parameter.numel() for parameter in network.parameters())
    if numbers is not None and parameters > numbers + _MORE_THAN_A_FILE:
        raise RequestError(
            tr(
                "{network} has {parameters:,} parameters: a file of {numbers:,} numbers is none of it",
                network=network.config.name,
                parameters=parameters,
                numbers=numbers,
            )  # fmt: skip
        )
    needed = 4 * parameters
    free = free_ram()
    if needed > free:
        raise RequestError(
            f"the weights of {network.config.name} take {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are "
            "free: choose fewer layers or a smaller width"
        )


def _initialise(name: str, module: nn.Module, config: NetworkConfig, seed: int) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=_std(module, config.init), generator=_generator(name, seed))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=math.sqrt(1 / module.in_features), generator=_generator(name, seed))
        nn.init.zeros_(module.bias)
    elif isinstance(module, Scale):
        nn.init.zeros_(module.alpha)
    elif isinstance(module, Chance):
        module.generator = _generator(name, seed)


def _std(conv: nn.Conv2d, init: str) -> float:
    fan_in, fan_out = conv.weight[0].numel(), conv.weight[:, 0].numel()
    he = math.sqrt(2) / math.sqrt(fan_in)  # as torch's kaiming_normal_ rounds it
    return {"kaiming": he, "xavier": math.sqrt(2 / (fan_in + fan_out)), "small": he / 2, "large": he * 2}[init]


def _generator(name: str, seed: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
