"""The plane of a loss surface, its grid, and the loss on it."""

import math

import pytest
import torch
from torch.nn import functional

from explorer.config import network
from explorer.data.prepared import Normalization
from explorer.evaluation import error, logits
from explorer.measurement import surface
from explorer.measurement.subject import Subject
from explorer.networks.build import build
from explorer.records import PlaneRecord, SurfaceRecord


@pytest.fixture(params=["plain-8:width=4", "resnet-8:width=4"])
def subject(request: pytest.FixtureRequest) -> Subject:
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (300, 3, 8, 8), generator=generator, dtype=torch.uint8)
    model, normalization = (
        build(network(request.param), seed=1),
        Normalization(torch.zeros(3, 1, 1), torch.ones(3, 1, 1)),
    )
    with torch.no_grad():
        model.train()(normalization(pixels))
    return Subject(model, pixels, torch.randint(0, 10, (300,), generator=generator), normalization)


def _grid(x: tuple[float, ...], y: tuple[float, ...]) -> PlaneRecord:
    return PlaneRecord(0, 0, len(x) * len(y), x, y, (), 0.0)


def _all(subject: Subject, plane: surface.Plane, grid: PlaneRecord) -> dict[tuple[int, int], tuple[float, float]]:
    records: list[SurfaceRecord] = list(surface.surface(subject, plane, grid))
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert records[-1].done == records[-1].of == grid.of
    points = [point for record in records for point in record.points]
    assert len(points) == grid.of, "each point once"
    return {(row, column): (loss, wrong) for row, column, loss, wrong in points}


def test_each_filter_of_a_random_direction_has_the_trained_filters_norm(subject: Subject) -> None:
    centre = surface.parameters(subject.network)
    plane = surface.random_plane(centre, seed=3)
    for name, weight in centre.items():
        for direction in (plane.x[name], plane.y[name]):
            if weight.ndim == 1:
                assert not direction.any(), "BN and biases stay"
            else:
                assert torch.allclose(direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1), rtol=1e-5)
    again, other = surface.random_plane(centre, seed=3), surface.random_plane(centre, seed=4)
    assert all(torch.equal(plane.x[name], again.x[name]) for name in centre)
    assert not torch.equal(plane.x["conv.weight"], other.x["conv.weight"])


def test_the_middle_is_the_evaluated_loss_and_each_point_that_of_its_weights(subject: Subject) -> None:
    centre = surface.parameters(subject.network)
    plane = surface.random_plane(centre)
    axis = surface.around(5, 0.5)
    assert axis == (-0.5, -0.25, 0.0, 0.25, 0.5)
    found = _all(subject, plane, _grid(axis, axis))
    outputs = logits(subject.network, subject.images, subject.normalization)
    loss = float(functional.cross_entropy(outputs.double(), subject.labels))
    assert found[2, 2][0] == pytest.approx(loss, rel=1e-6)
    assert found[2, 2][1] == error(outputs, subject.labels)
    with torch.no_grad():  # by hand, at x = 0.25, y = -0.5: row 0, column 3
        for name, parameter in subject.network.named_parameters():
            parameter.add_(0.25 * plane.x[name] - 0.5 * plane.y[name])
    moved = logits(subject.network, subject.images, subject.normalization)
    assert found[0, 3][0] == pytest.approx(float(functional.cross_entropy(moved, subject.labels)), rel=1e-4)


def test_the_coarse_picture_comes_first_and_the_network_is_left_alone(subject: Subject) -> None:
    before = {name: tensor.clone() for name, tensor in subject.network.state_dict().items()}
    axis = surface.around(9, 1.0)
    records = surface.surface(subject, surface.random_plane(surface.parameters(subject.network)), _grid(axis, axis))
    first = [next(records) for _ in range(2)]
    assert [(row, column) for record in first for row, column, *_ in record.points] == [(0, 0), (0, 8), (8, 0), (8, 8)]
    assert subject.network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in subject.network.state_dict().items())


def test_a_loss_beyond_all_numbers_is_none(subject: Subject) -> None:
    centre = surface.parameters(subject.network)
    weights = {name: weight * (1e30 if name == "head.weight" else 1) for name, weight in centre.items()}
    weights["conv.weight"] = weights["conv.weight"] * 1e30
    assert surface.loss_and_error(subject, weights)[0] is None


def test_the_plane_of_a_path_in_two_dimensions_holds_it_all() -> None:
    centre = {"a": torch.zeros(3, 2), "b": torch.zeros(2)}
    one = {"a": torch.tensor([[3.0, 0], [0, 0], [0, 0]]), "b": torch.zeros(2)}
    two = {"a": torch.tensor([[1.0, 0], [0, 0], [0, 0]]), "b": torch.tensor([0.0, 2.0])}
    plane = surface.path_plane(centre, [one, two])
    points, within = surface.path(plane, {0: one, 10: two, 20: centre})
    assert within == pytest.approx(1)
    assert [point.step for point in points] == [0, 10, 20]
    lengths = [math.hypot(point.x, point.y) for point in points]
    assert lengths == pytest.approx([3, math.sqrt(5), 0], abs=1e-6), "distances are kept"
    between = math.hypot(points[0].x - points[1].x, points[0].y - points[1].y)
    assert between == pytest.approx(math.hypot(2, 2))
    axis = surface.around_path(5, [point.x for point in points])
    assert axis[2] == 0
    assert min(axis) < min(point.x for point in points) <= max(point.x for point in points) < max(axis)


def test_what_lies_outside_the_plane_is_not_within() -> None:
    centre = {"a": torch.zeros(4)}
    plane = surface.Plane(centre, {"a": torch.tensor([2.0, 0, 0, 0])}, {"a": torch.tensor([1.0, 1, 0, 0])})
    points, within = surface.path(plane, {0: {"a": torch.tensor([4.0, 3.0, 0, 5.0])}})
    assert (points[0].x, points[0].y) == pytest.approx((0.5, 3.0))  # 0.5 (2, 0) + 3 (1, 1) = (4, 3)
    assert within == pytest.approx(25 / 50)
