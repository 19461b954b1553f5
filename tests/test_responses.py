import pytest
import torch
from torch import nn

from explorer.config import network
from explorer.measurement.responses import layer_responses
from explorer.networks.build import build
from explorer.networks.residual import response_layers


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["plain-20", "resnet-20"])
def test_untrained_responses_are_all_one(name: str, images: torch.Tensor) -> None:
    for response in layer_responses(build(network(name)), images, own_statistics=True):
        assert response.std == pytest.approx(1, abs=2e-3)
        assert response.predicted == pytest.approx(1)


def test_with_own_statistics_a_response_is_what_gamma_and_beta_say(images: torch.Tensor) -> None:
    model = build(network("resnet-14"))
    generator = torch.Generator().manual_seed(1)
    for bn in response_layers(model).values():
        nn.init.uniform_(bn.weight, 0.2, 2.0, generator=generator)
        nn.init.normal_(bn.bias, generator=generator)
    for response in layer_responses(model, images, own_statistics=True):
        assert response.std == pytest.approx(response.predicted, rel=2e-3)
    gamma, beta = model.bn.weight.detach().numpy(), model.bn.bias.detach().numpy()
    assert layer_responses(model, images)[0].predicted == pytest.approx(((gamma**2).mean() + beta.var()) ** 0.5)


def test_gathered_statistics_are_used_by_default(images: torch.Tensor) -> None:
    model = build(network("plain-8"))
    model.bn.running_var.fill_(4.0)
    convolved = nn.functional.conv2d(images, model.conv.weight.detach(), padding=1)
    expected = float((convolved / (4 + 1e-5) ** 0.5).std(correction=0))
    assert layer_responses(model, images)[0].std == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("own_statistics", [False, True])
def test_the_network_is_left_as_it_was(own_statistics: bool, images: torch.Tensor) -> None:
    model = build(network("resnet-8")).train()
    model.stage1.eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    layer_responses(model, images, own_statistics)
    with pytest.raises(RuntimeError):
        layer_responses(model, images[:, :2], own_statistics)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
