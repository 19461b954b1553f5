"""Integrated gradients along the straight way from a baseline, with more points where the network bends."""

import copy

import torch
from torch import Tensor, nn

_POINTS = 5
"""In each section of the way."""
_HALVED = 0.75
"""The share of the squared errors whose sections are halved in one round."""
_SINGLE = 1e-5
"""What single precision may lose of a score on its way through a deep network; less needs double precision."""


def integrated(
    network: nn.Module, image: Tensor, baseline: Tensor, target: int, steps: int, tolerance: float, most: int
) -> Tensor:
    """(C, H, W): the change of each pixel times the mean gradient on the way from `baseline` to `image`, (C, H, W) too.

    The way is cut into sections of five points, `steps` in all, each integrated by captum. What a section's map sums
    to should be the change of the score in it (Sundararajan et al. 2017, completeness). While the whole map misses the
    whole change by more than `tolerance` of it, the sections that miss most are halved, until `most` points have been
    used. Errors of many sections add up like chances, by their squares: a few sections hold most of them, and halving
    those takes a tenth of the points that halving all would, and a thousandth of what equal steps take.
    """
    both = torch.stack([baseline, image])
    before, after = _scores(network, both, target)
    allowed = tolerance * abs(after - before)
    if 0 < allowed < _SINGLE * max(1.0, abs(before), abs(after)):
        network, both = copy.deepcopy(network).double(), both.double()
        before, after = _scores(network, both, target)
        allowed = tolerance * abs(after - before)
    edges = torch.linspace(0, 1, max(1, round(steps / _POINTS)) + 1, dtype=both.dtype, device=both.device)
    starts, ends = edges[:-1], edges[1:]
    maps, errors = _sections(network, both, target, starts, ends)
    used = _POINTS * len(starts)
    while tolerance > 0 and abs(float(errors.sum())) > allowed:
        order = errors.square().argsort(descending=True)
        sums = errors[order].square().cumsum(0)
        halves = min((most - used) // (2 * _POINTS), 1 + int((sums < _HALVED * sums[-1]).sum()))
        if halves < 1:
            break
        halved, kept = order[:halves], order[halves:]
        middles = (starts[halved] + ends[halved]) / 2
        firsts, lasts = torch.cat([starts[halved], middles]), torch.cat([middles, ends[halved]])
        new, missed = _sections(network, both, target, firsts, lasts)
        used += _POINTS * len(firsts)
        starts, ends = torch.cat([starts[kept], firsts]), torch.cat([ends[kept], lasts])
        maps, errors = torch.cat([maps[kept], new]), torch.cat([errors[kept], missed])
    return maps.sum(dim=0).to(image.dtype)


def _sections(network: nn.Module, both: Tensor, target: int, starts: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
    """Maps of the sections (S, C, H, W), and by how much each misses the change of the score (S,), in double."""
    from captum.attr import IntegratedGradients

    from explorer.attribution.methods import IMAGES_PER_PASS

    baseline, image = both
    method, maps, missed = IntegratedGradients(network), [], []
    for few in torch.split(torch.stack([starts, ends], dim=1), IMAGES_PER_PASS):
        low, high = (baseline + at[:, None, None, None] * (image - baseline) for at in few.unbind(dim=1))
        found: Tensor = method.attribute(
            high,
            baselines=low,
            target=target,
            n_steps=_POINTS,
            method="riemann_middle",
            internal_batch_size=IMAGES_PER_PASS,
        )
        with torch.no_grad():
            before, after = network(torch.cat([low, high]))[:, target].double().chunk(2)
        maps.append(found)
        missed.append(found.double().sum(dim=(1, 2, 3)) - (after - before))
    return torch.cat(maps), torch.cat(missed)


def _scores(network: nn.Module, both: Tensor, target: int) -> tuple[float, float]:
    """Of the baseline and of the image."""
    with torch.no_grad():
        before, after = network(both)[:, target].double().tolist()
    return before, after
