"""What does the loss look like around a trained network? Li, Xu, Taylor, Studer, Goldstein (2018).

A plane through the trained weights is spanned by two directions, and the loss measured on a grid of it. Random
directions are normalised filter by filter (their section 4), so that the units of two networks compare; the plane of
the path is spanned by where the weights were during training (their section 7).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from explorer.device import autocast
from explorer.evaluation import BATCH, wrong
from explorer.measurement.borrowing import borrowed
from explorer.measurement.subject import Subject
from explorer.records import PathPoint, PlaneRecord, SurfaceRecord

State = Mapping[str, Tensor]
"""A network's parameters by their names."""
_MARGIN = 1.25  # of the plane of the path around the path
_LEVELS = (8, 4, 2, 1)  # coarse to fine


@dataclass(frozen=True)
class Plane:
    """Two directions from the trained weights, each in the shape of the parameters."""

    centre: State
    x: State
    y: State

    def at(self, x: float, y: float) -> State:
        """The weights at a place of the plane; at (0, 0) those of the trained network to the last bit."""
        return {name: weight + x * self.x[name] + y * self.y[name] for name, weight in self.centre.items()}


def parameters(network: nn.Module) -> State:
    """A copy of them, so that the network may go on."""
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def random_plane(centre: State, seed: int = 0) -> Plane:
    """Gaussian directions, each filter of them with the norm of the trained filter.

    A filter is one row of a layer's weights. Biases and BN's gamma and beta stay where they are, as Li et al. do it.
    """
    chance = torch.Generator().manual_seed(seed)

    def direction() -> State:
        drawn = {name: torch.randn(weight.shape, generator=chance) for name, weight in centre.items()}
        return {name: _like_filters(drawn[name], weight) for name, weight in centre.items()}

    return Plane(centre, direction(), direction())


def path_plane(centre: State, before: Sequence[State]) -> Plane:
    """The two principal directions of where training came from (`before`, at least two), longest first, of length 1."""
    ways = torch.stack([_flat(state) - _flat(centre) for state in before])
    directions = torch.linalg.svd(ways, full_matrices=False).Vh[:2]
    x, y = (_shaped(direction, centre) for direction in directions)
    return Plane(centre, x, y)


def path(plane: Plane, states: Mapping[int, State]) -> tuple[list[PathPoint], float]:
    """Where the weights after so many steps lie when they are projected onto the plane.

    And the part of their squared distance from the trained weights that lies in it, 0..1: of a random plane next to
    nothing.
    """
    directions = torch.stack([_flat(plane.x), _flat(plane.y)])
    centre, points, seen, whole = _flat(plane.centre), [], 0.0, 0.0
    for step, state in sorted(states.items()):
        way = _flat(state) - centre
        found = torch.linalg.lstsq(directions.T, way[:, None]).solution[:, 0]
        points.append(PathPoint(step, float(found[0]), float(found[1])))
        seen += float((directions.T @ found).square().sum())
        whole += float(way.square().sum())
    return points, seen / whole if whole else 0.0


def around(size: int, reach: float) -> tuple[float, ...]:
    """The places of a grid along one axis: `size`, an odd number, from -reach to reach, 0 in the middle."""
    half = size // 2
    return tuple(reach * index / half for index in range(-half, half + 1))


def around_path(size: int, values: Sequence[float]) -> tuple[float, ...]:
    """The same, so that a path's coordinates along this axis lie inside."""
    return around(size, _MARGIN * max(abs(value) for value in values))


def surface(subject: Subject, plane: Plane, grid: PlaneRecord, precision: str = "fp32") -> Iterator[SurfaceRecord]:
    """Loss and error on every point of the grid, a record a row, every eighth row and column first.

    Mean cross-entropy in evaluation mode, with the statistics that BN gathered at the trained weights, as Li et al.
    measured it. The network is left as it was found.
    """
    measured: set[tuple[int, int]] = set()
    seq = grid.seq
    for every in _LEVELS:
        for row in range(0, len(grid.y), every):
            columns = [column for column in range(0, len(grid.x), every) if (row, column) not in measured]
            points = [
                (row, column, *loss_and_error(subject, plane.at(grid.x[column], grid.y[row]), precision))
                for column in columns
            ]
            measured.update((row, column) for column in columns)
            if points:
                seq += 1
                yield SurfaceRecord(seq, len(measured), grid.of, tuple(points))


def loss_and_error(subject: Subject, weights: State, precision: str = "fp32") -> tuple[float | None, float]:
    """Mean cross-entropy, None where it overflows, and error of the network with these weights."""
    network, images = subject.network, subject.images
    loss, mistakes = 0.0, 0
    with borrowed(network, own_statistics=False), torch.inference_mode(), autocast(images.device.type, precision):
        for some, labels in zip(torch.split(images, BATCH), torch.split(subject.labels, BATCH), strict=True):
            logits = functional_call(network, dict(weights), (subject.normalization(some),)).float()
            loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
            mistakes += int(wrong(logits, labels).sum())
    return loss / len(images) if math.isfinite(loss) else None, mistakes / len(images)


def _like_filters(direction: Tensor, weight: Tensor) -> Tensor:
    if weight.ndim < 2:
        return torch.zeros_like(weight)
    rows, norms = direction.flatten(1), weight.flatten(1).norm(dim=1, keepdim=True)
    normalised: Tensor = rows / rows.norm(dim=1, keepdim=True) * norms
    return normalised.view_as(weight)


def _flat(state: State) -> Tensor:
    return torch.cat([tensor.double().flatten() for tensor in state.values()])


def _shaped(flat: Tensor, like: State) -> State:
    parts = torch.split(flat.float(), [tensor.numel() for tensor in like.values()])
    return {name: part.view_as(tensor) for part, (name, tensor) in zip(parts, like.items(), strict=True)}
