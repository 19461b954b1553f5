"""Does a map change when the network forgets what it learnt? The sanity check of Adebayo et al. (2018)."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from explorer.attribution.explain import attributions
from explorer.attribution.methods import usual
from explorer.measurement.agreement import rank_correlation
from explorer.networks.blocks import Scale
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork

_SEED = 1_000_003  # of the random weights: not one that people train with


@dataclass(frozen=True)
class SanityRecord:
    """How like the trained network's maps are those of one whose weights are random from the top down to a layer."""

    kind: ClassVar[str] = "sanity"
    seq: int
    of: int
    """The last value of `seq`."""
    layer: str
    """The lowest part that is random by now; "" for the trained network."""
    similarity: dict[str, float]
    """By method: Spearman's correlation of |values|, the mean over the images; 1 where nothing has changed."""


def cascade(
    network: ResidualNetwork, images: Tensor, targets: Sequence[int], methods: Sequence[str]
) -> Iterator[SanityRecord]:
    """One record for the trained network, then one for each part made random: head, blocks from the top, stem.

    `images` are normalised, (N, 3, H, W). Random weights are those of a fresh network of the same config, BN's too.
    """
    forgetting, fresh = copy.deepcopy(network), build(network.config, _SEED)
    for module in fresh.modules():
        if isinstance(module, Scale):
            nn.init.ones_(module.alpha)  # fresh ones are zero, and no map would be left
    trained = _maps(forgetting, images, targets, methods)
    layers = _from_the_top(network)
    yield SanityRecord(0, len(layers), "", dict.fromkeys(methods, 1.0))
    for seq, names in enumerate(layers, 1):
        for name in names:
            forgetting.get_submodule(name).load_state_dict(fresh.get_submodule(name).state_dict())
        found = _maps(forgetting, images, targets, methods)
        similarity = {
            method: fmean(_alike(one, other) for one, other in zip(trained[method], found[method], strict=True))
            for method in methods
        }
        yield SanityRecord(seq, len(layers), names[0], similarity)


def _from_the_top(network: ResidualNetwork) -> list[list[str]]:
    """Names of what is made random together."""
    blocks = [f"{stage}.{index}" for stage, kept in network.stages.items() for index in range(len(kept))]
    last = [["head", "bn"], *([name] for name in reversed(blocks)), ["conv"]]
    return last if network.config.preactivation else [["head"], *last[1:-1], ["conv", "bn"]]


def _maps(
    network: nn.Module, images: Tensor, targets: Sequence[int], methods: Sequence[str]
) -> dict[str, list[np.ndarray]]:
    with torch.no_grad():
        return {
            method: [np.abs(one.values) for one in attributions(network, images, targets, method, **usual(method))]
            for method in methods
        }


def _alike(first: np.ndarray, second: np.ndarray) -> float:
    return rank_correlation(first, second) or 0.0
