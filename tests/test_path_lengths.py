"""The gradient by the length of its paths: the sum over all paths is the whole gradient."""

import itertools

import pytest
import torch
from torch.nn import functional

from explorer.config import network
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.measurement import paths
from explorer.measurement.borrowing import borrowed
from explorer.measurement.subject import Subject
from explorer.networks.build import build


def _subject(name: str) -> Subject:
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (16, 3, 8, 8), generator=generator, dtype=torch.uint8)
    normalization = Normalization(torch.full((3, 1, 1), 0.5), torch.ones(3, 1, 1))
    return Subject(build(network(name), 1), pixels, torch.randint(0, 10, (16,), generator=generator), normalization)


@pytest.mark.parametrize("name", ["resnet-14:width=4", "resnet-14:width=4,shortcut=B", "preresnet-14:width=4"])
def test_all_paths_together_are_the_gradient_of_training(name: str) -> None:
    subject = _subject(name)
    model = subject.network
    blocks = [block for stage in model.stages.values() for block in stage]
    with borrowed(model, own_statistics=True), torch.enable_grad():
        walked, last = paths._forward(model, blocks, subject)
        total = 0
        for through in itertools.product((False, True), repeat=len(blocks)):
            gradient = last
            for one, inside in zip(reversed(walked), reversed(through), strict=True):
                gradient = one.back(gradient, inside)
            total = total + gradient
        x = model.begin(subject.normalization(subject.images)).detach().requires_grad_()
        y = x
        for block in blocks:
            y = block(y)
        (whole,) = torch.autograd.grad(functional.cross_entropy(model.end(y), subject.labels), x)
    assert torch.allclose(total, whole, rtol=1e-3, atol=1e-7)


def test_shares_weigh_each_length_by_how_many_paths_have_it() -> None:
    found = paths.shares([4.0, 2.0, 1.0], 2)  # 1, 2 and 1 of 4 paths
    assert [one.paths for one in found] == [0.25, 0.5, 0.25]
    assert [one.share for one in found] == pytest.approx([4 / 9, 4 / 9, 1 / 9])


def test_lengths_come_one_by_one_and_the_network_is_left_alone() -> None:
    subject = _subject("resnet-14:width=4")
    subject.network.eval()
    records = list(paths.path_lengths(subject, draws=3))
    assert [(record.done, record.of, len(record.lengths)) for record in records] == [(n, 7, n) for n in range(1, 8)]
    assert sum(one.share for one in records[-1].lengths) == pytest.approx(1)
    assert sum(one.paths for one in records[-1].lengths) == pytest.approx(1)
    assert records == list(paths.path_lengths(subject, draws=3)), "the same seed, the same paths"
    assert not subject.network.training
    assert all(parameter.grad is None for parameter in subject.network.parameters())


def test_without_shortcuts_there_is_one_path() -> None:
    for name in ("plain-8:width=4", "highway-8:width=4"):
        with pytest.raises(RequestError, match="one path only"):
            next(paths.path_lengths(_subject(name), draws=1))
