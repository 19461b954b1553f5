"""Networks against the paper's counts and against each other."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer.config import network
from explorer.networks.blocks import IdentityShortcut
from explorer.networks.cifar import CifarNetwork, build, response_layers
from explorer.summary import summary

# Table 6, exact (each printed figure is this one rounded), and multiply-adds counted by the paper's rule.
PARAMETERS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962, 1202: 19_421_274}
MACS = {20: 40_551_040, 32: 68_862_592, 44: 97_174_144, 56: 125_485_696, 110: 252_887_680, 1202: 2_829_238_912}


@pytest.mark.parametrize("family", ["plain", "resnet"])
@pytest.mark.parametrize("depth", PARAMETERS)
def test_counts_are_the_papers(family: str, depth: int) -> None:
    counts = summary(network(f"{family}-{depth}"))
    assert (counts.parameters, counts.macs, counts.weighted_layers) == (PARAMETERS[depth], MACS[depth], depth)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet-20:shortcut=B", 272_474),
        ("resnet-56:shortcut=B", 855_770),
        ("resnet-110:shortcut=B", 1_730_714),
        ("resnet-20:shortcut=C", 283_962),
        ("resnet-56:shortcut=C", 900_858),
        ("resnet-110:shortcut=C", 1_826_202),
    ],
)
def test_projections_add_their_parameters_but_no_layers(name: str, parameters: int) -> None:
    counts = summary(network(name))
    assert counts.parameters == parameters
    assert counts.weighted_layers == network(name).depth


def test_stages_are_those_of_section_4_2() -> None:
    assert summary(network("resnet-20")).stages == (
        ("stem", 32, 16, 1), ("stage1", 32, 16, 6), ("stage2", 16, 32, 6), ("stage3", 8, 64, 6), ("head", 1, 10, 1),
    )  # fmt: skip


@pytest.mark.parametrize("option", ["A", "B", "C"])
def test_plain_and_residual_start_from_the_same_weights(option: str) -> None:
    plain = build(network("plain-14"), seed=3).state_dict()
    residual = build(network(f"resnet-14:shortcut={option}"), seed=3).state_dict()
    assert all(torch.equal(tensor, residual[name]) for name, tensor in plain.items())
    assert (residual.keys() == plain.keys()) == (option == "A")


def test_another_seed_starts_from_other_weights_and_global_randomness_is_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, again, other = (build(network("resnet-8"), seed).head.weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_convolutions_start_with_he_initialisation() -> None:
    weight = build(network("plain-20"), seed=0).stage3[2].conv2.weight.detach()
    assert float(weight.std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert float(weight.mean()) == pytest.approx(0, abs=0.001)


def test_option_a_takes_every_second_pixel_and_pads_with_zeros() -> None:
    x = torch.arange(2 * 4 * 4.0).reshape(1, 2, 4, 4)
    out = IdentityShortcut(2, 4, stride=2)(x)
    assert out.shape == (1, 4, 2, 2)
    assert out[0, 0].tolist() == [[0, 2], [8, 10]]
    assert not out[0, 2:].any()


def test_a_residual_block_computes_relu_of_f_plus_x() -> None:
    block = build(network("resnet-8"), seed=1).stage1[0].eval()
    x = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    f = functional.conv2d(x, block.conv1.weight, padding=1) / (1 + 1e-5) ** 0.5
    f = functional.conv2d(f.relu(), block.conv2.weight, padding=1) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(block(x), (f + x).relu(), rtol=1e-4, atol=1e-4)


def test_with_f_at_zero_a_residual_block_is_the_identity_and_a_plain_one_is_dead() -> None:
    x = torch.rand(2, 16, 8, 8)
    for family, expected in (("resnet", x), ("plain", torch.zeros_like(x))):
        block = build(network(f"{family}-8")).stage1[0].eval()
        nn.init.zeros_(block.bn2.weight)
        assert torch.equal(block(x), expected)


@pytest.mark.parametrize("name", ["plain-14", "resnet-14", "resnet-14:shortcut=C"])
def test_every_module_is_called_once_and_changes_nothing_in_place(name: str) -> None:
    """Captum's hooks need the first, the sum F(x) + x the second."""
    model = build(network(name)).eval()
    calls: dict[nn.Module, int] = {}

    def check(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        calls[module] = calls.get(module, 0) + 1
        kept.append([(tensor, copy.deepcopy(tensor)) for tensor in inputs])

    kept: list[list[tuple[torch.Tensor, torch.Tensor]]] = []
    leaves = [module for module in model.modules() if not list(module.children())]
    for module in leaves:
        module.register_forward_pre_hook(check)
    with torch.no_grad():
        model(torch.rand(1, 3, 16, 16))
    assert calls == dict.fromkeys(leaves, 1)
    assert all(torch.equal(tensor, before) for pairs in kept for tensor, before in pairs)


@pytest.mark.parametrize("name", ["plain-20", "resnet-20", "resnet-20:shortcut=C"])
def test_there_is_a_response_for_each_3x3_layer_in_order(name: str) -> None:
    with torch.device("meta"):
        model = CifarNetwork(network(name))
    names = list(response_layers(model))
    assert len(names) == 19
    assert names[:3] == ["conv", "stage1.0.conv1", "stage1.0.conv2"]
    assert names[-1] == "stage3.2.conv2"
