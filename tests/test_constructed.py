"""The solution by construction: deeper, and the same to the last bit."""

import pytest
import torch

from explorer.config import network
from explorer.errors import RequestError
from explorer.measurement.constructed import deepened
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork


def _trained(name: str) -> tuple[ResidualNetwork, torch.Tensor]:
    """A network whose BN has statistics and weights of its own, and images."""
    torch_generator = torch.Generator().manual_seed(1)
    images = torch.randn(64, 3, 16, 16, generator=torch_generator)
    model = build(network(name), seed=9)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch_generator)
        for _ in range(5):
            model.train()(images)
    return model.eval(), images


@pytest.mark.parametrize(
    "name", ["plain-8:width=8", "resnet-8:width=8", "resnet-14:width=4,shortcut=B", "plain-14:width=4"]
)
def test_the_deeper_network_says_what_the_shallow_one_says(name: str) -> None:
    model, images = _trained(name)
    deep = deepened(model, 32)
    assert deep.config.depth == 32
    assert deep.config.family == model.config.family
    with torch.inference_mode():
        assert torch.equal(deep(images), model(images))
    own = {key: tensor for key, tensor in model.state_dict().items() if key.startswith(("conv", "bn", "head"))}
    assert all(torch.equal(tensor, deep.state_dict()[key]) for key, tensor in own.items())


def test_an_identity_block_can_still_learn() -> None:
    """A gamma of 0 lets no gradient through to the branch's convolutions, but to itself."""
    model, images = _trained("resnet-8:width=8")
    deep = deepened(model, 14).train()
    deep(images).logsumexp(dim=1).sum().backward()
    block = deep.stages["stage2"][1]
    assert block.bn2.weight.grad.abs().max() > 0
    assert block.conv1.weight.grad.abs().max() == 0


@pytest.mark.parametrize(
    ("name", "depth", "says"),
    [("resnet-8:width=4", 8, "no more than"), ("resnet-29-bottleneck:width=4", 56, "identity blocks are known"),
     ("plain-8:width=4,bn=off", 14, "with BN"), ("resnet-8:width=4", 15, "15")],
)  # fmt: skip
def test_what_cannot_be_constructed_is_refused(name: str, depth: int, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        deepened(build(network(name)), depth)
