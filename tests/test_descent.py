"""SGD against torch's own optimizer, and what it does without."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from explorer.descent import Descent
from tests.conftest import ROOT

STEPS = """
import sys
from explorer.config import network
from explorer.data import sources
from explorer.networks.build import build
from explorer.recipes import recipe
from explorer.training import Training
shallow = network("resnet-8:width=4")
training = Training(build(shallow), sources.load("shapes"), recipe("brief").training_for(shallow))
while training.done < 2:
    training.advance()
print(sorted({"torch._dynamo", "torch._inductor"} & set(sys.modules)))
"""


def _weights() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(8, 4, 3, 3), (8,), (), (10, 8)]
    weights = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    weights[0].data = weights[0].data.contiguous(memory_format=torch.channels_last)
    return weights


def test_it_is_torchs_sgd_and_leaves_alone_what_has_no_gradient() -> None:
    mine, theirs = _weights(), _weights()
    descent = Descent(mine, momentum=0.9, weight_decay=1e-2)
    optimizer = torch.optim.SGD(theirs, lr=0.1, momentum=0.9, weight_decay=1e-2, foreach=False)
    generator = torch.Generator().manual_seed(1)
    for step in range(6):
        descent.forget_gradients()
        optimizer.zero_grad()
        assert all(weight.grad is None for weight in mine)
        for index, (weight, other) in enumerate(zip(mine, theirs, strict=True)):
            if (step + index) % 3:  # the others have none in this step, the first one in the very first
                weight.grad = torch.empty_like(weight).copy_(torch.randn(weight.shape, generator=generator))
                other.grad = weight.grad.clone()
        optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
        descent.step(0.1 / (step + 1))
        optimizer.step()
        for weight, other in zip(mine, theirs, strict=True):
            torch.testing.assert_close(weight, other, rtol=1e-6, atol=1e-7)


def test_a_rate_may_be_a_tensor() -> None:
    mine, theirs = _weights(), _weights()
    for weights, rate in ((mine, 0.25), (theirs, torch.tensor(0.25))):
        descent = Descent(weights, momentum=0.5, weight_decay=0.0)
        for weight in weights:
            weight.grad = torch.ones_like(weight)
        descent.step(rate)
    assert all(torch.equal(weight, other) for weight, other in zip(mine, theirs, strict=True))
    assert torch.equal(mine[1], _weights()[1] - 0.25)


def test_it_goes_on_from_its_momenta_and_refuses_those_of_another_network() -> None:
    descent = Descent(_weights(), momentum=0.9, weight_decay=0.0)
    places = [momentum.data_ptr() for momentum in descent.momenta]
    kept = [torch.full_like(momentum, 2.0) for momentum in descent.momenta]
    descent.restore(kept)
    assert all(torch.equal(momentum, other) for momentum, other in zip(descent.momenta, kept, strict=True))
    assert [momentum.data_ptr() for momentum in descent.momenta] == places
    with pytest.raises(ValueError, match="shorter"):
        descent.restore(kept[:2])


def test_a_training_does_not_import_torchs_compiler() -> None:
    """torch.optim's classes do, when made: a second before the first step and 0.1 GB, in each worker."""
    found = subprocess.run([sys.executable, "-c", STEPS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
