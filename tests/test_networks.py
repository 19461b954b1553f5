"""Networks against the paper's counts and against each other."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer import summary as outlines
from explorer.config import network
from explorer.networks.blocks import IdentityShortcut
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork, response_layers
from explorer.paper import printed
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
    stages = summary(network("resnet-20")).stages
    assert [(stage.name, stage.output[1], stage.output[0], stage.weighted_layers) for stage in stages] == [
        ("stem", 32, 16, 1), ("stage1", 32, 16, 6), ("stage2", 16, 32, 6), ("stage3", 8, 64, 6), ("head", 1, 10, 1),
    ]  # fmt: skip


# Exact totals of Table 1's networks: (multiply-adds, parameters); those marked torchvision are published by it too.
TABLE_1 = {
    "plain-18@imagenet": (1_794_805_760, 11_515_688),
    "resnet-18@imagenet": (1_794_805_760, 11_515_688),
    "resnet-18@imagenet:shortcut=B": (1_814_073_344, 11_689_512),  # torchvision
    "plain-34@imagenet": (3_644_493_824, 21_623_848),
    "resnet-34@imagenet": (3_644_493_824, 21_623_848),
    "resnet-34@imagenet:shortcut=B": (3_663_761_408, 21_797_672),  # torchvision
    "resnet-34@imagenet:shortcut=C": (3_830_747_136, 22_716_840),
    "resnet-50@imagenet": (3_857_973_248, 25_557_032),
    "resnet-50@imagenet:stride_in=3x3": (4_089_184_256, 25_557_032),  # torchvision
    "resnet-101@imagenet": (7_570_194_432, 44_549_160),
    "resnet-101@imagenet:stride_in=3x3": (7_801_405_440, 44_549_160),  # torchvision
    "resnet-152@imagenet": (11_282_415_616, 60_192_808),
    "resnet-152@imagenet:stride_in=3x3": (11_513_626_624, 60_192_808),  # torchvision
    "vgg-16@imagenet": (15_470_264_320, 138_357_544),  # torchvision
    "vgg-19@imagenet": (19_632_062_464, 143_667_240),  # torchvision
    "vgg-19@imagenet:bn=on": (19_632_062_464, 143_678_248),  # torchvision
}


@pytest.mark.parametrize("name", TABLE_1)
def test_imagenet_networks_count_exactly(name: str) -> None:
    counts = summary(network(name))
    assert (counts.macs, counts.parameters) == TABLE_1[name]
    assert counts.weighted_layers == network(name).depth


@pytest.mark.parametrize("name", [*TABLE_1, "resnet-20", "plain-110", "resnet-1202"])
def test_counts_agree_with_what_the_paper_prints(name: str) -> None:
    counts, paper = summary(network(name)), printed(network(name))
    if paper is None:  # variants that it does not speak of
        assert "=" in name
        return
    macs = counts.macs
    if name == "vgg-16@imagenet":  # of this network alone the paper counts the convolutions only
        macs -= sum(layer.macs for layer in counts.layers() if layer.kind == "linear")
    if name.endswith("shortcut=C"):
        assert "projections" in paper.remark
        return
    assert paper.macs is None or macs == pytest.approx(paper.macs, rel=0.02)
    assert paper.parameters is None or counts.parameters == pytest.approx(paper.parameters, rel=0.02)


def test_stages_of_table_1_cost_what_they_cost_by_hand() -> None:
    assert [stage.macs for stage in summary(network("resnet-152@imagenet")).stages] == [
        118_013_952, 667_942_912, 1_823_997_952, 7_938_244_608, 732_168_192, 2_048_000,
    ]  # fmt: skip
    assert [(stage.label, stage.output) for stage in summary(network("resnet-50@imagenet")).stages] == [
        ("conv1", (64, 112, 112)), ("conv2_x", (256, 56, 56)), ("conv3_x", (512, 28, 28)),
        ("conv4_x", (1024, 14, 14)), ("conv5_x", (2048, 7, 7)), ("", (1000, 1, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 9, 18, 111])
def test_multiply_adds_and_parameters_follow_their_closed_forms(n: int) -> None:
    for family in ("plain", "resnet", "preresnet"):
        counts = summary(network(f"{family}-{6 * n + 2}"))
        assert (counts.macs, counts.parameters) == (14_155_776 * n - 1_916_288, 97_216 * n - 21_926)


VARIANTS = [
    "resnet-20", "plain-20:bn=off", "resnet-14:shortcut=C", "resnet-164-bottleneck", "preresnet-56", "highway-32",
    "preresnet-29-bottleneck:shortcut=A", "skipinit-56", "resnet-32:strength=0.5,survival=0.7,dropout=0.2",
]  # fmt: skip


@pytest.mark.parametrize("name", [*VARIANTS, "resnet-34@imagenet", "resnet-50@imagenet"])
def test_the_outline_holds_every_parameter_of_the_network_once(name: str) -> None:
    """Folded, the outline is made from two blocks a stage: it must say what the whole network has."""
    with torch.device("meta"):
        whole = ResidualNetwork(network(name))
    own = {
        layer: sum(parameter.numel() for parameter in module.parameters())
        for layer, module in whole.named_modules()
        if not list(module.children())
    }
    found = list(summary(network(name)).layers())
    assert len({layer.name for layer in found}) == len(found)
    assert {layer.name: layer.parameters for layer in found if layer.parameters} == {
        layer: count for layer, count in own.items() if count
    }


def test_an_inception_block_is_four_branches_side_by_side() -> None:
    outline = summary(network("googlenet"))
    block = next(block for stage in outline.stages for block in stage.blocks if block.names == ("inception3a",))
    assert [path.layers[-1].output[0] for path in block.paths] == [64, 128, 32, 32]
    assert (block.join, block.output) == ("concatenate", (256, 28, 28))
    assert outline.weighted_layers == 22


@pytest.mark.parametrize(
    ("name", "residual", "after"),
    [
        ("plain-20", ["conv1", "bn1", "relu1", "conv2", "bn2"], ["relu2"]),
        ("resnet-20", ["conv1", "bn1", "relu1", "conv2", "bn2"], ["relu2"]),
        ("skipinit-20", ["conv1", "relu1", "conv2", "scale"], ["relu2"]),
        ("highway-20", ["conv1", "bn1", "relu1", "conv2", "bn2", "relu2"], []),
        ("preresnet-20", ["bn1", "relu1", "conv1", "bn2", "relu2", "conv2"], []),
        ("resnet-20-bottleneck", ["conv1", "bn1", "relu1", "conv2", "bn2", "relu2", "conv3", "bn3"], ["relu3"]),
    ],
)
def test_layers_stand_in_the_order_of_the_signal(name: str, residual: list[str], after: list[str]) -> None:
    block = summary(network(name)).stages[1].blocks[-1]
    first = block.names[0] + "."
    assert [layer.name.removeprefix(first) for layer in block.paths[0].layers] == residual
    assert [layer.name.removeprefix(first) for layer in block.after] == after


def test_what_a_block_adds_is_said_of_its_shortcut() -> None:
    def shortcuts(name: str) -> list[str]:
        stages = summary(network(name)).stages[1:-1]
        return [path.kind for stage in stages for block in stage.blocks for path in block.paths[1:]]

    assert shortcuts("plain-20") == []
    assert shortcuts("resnet-20") == ["identity", "identity", "padded", "identity", "padded", "identity"]
    assert shortcuts("resnet-20:shortcut=B")[2:4] == ["projection", "identity"]
    assert set(shortcuts("resnet-20:shortcut=C")) == {"projection"}
    assert shortcuts("highway-20")[:2] == ["identity", "gate"]


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


@pytest.mark.parametrize("name", VARIANTS)
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


@pytest.mark.parametrize(
    "name", ["plain-20", "resnet-20", "resnet-20:shortcut=C", "preresnet-20", "highway-20", "skipinit-20"]
)
def test_there_is_a_response_for_each_3x3_layer_in_order(name: str) -> None:
    with torch.device("meta"):
        model = ResidualNetwork(network(name))
    names = list(response_layers(model))
    assert len(names) == 19
    assert names[:3] == ["conv", "stage1.0.conv1", "stage1.0.conv2"]
    assert names[-1] == "stage3.2.conv2"


@pytest.mark.parametrize(
    "name", ["highway-32", "resnet-20:shortcut=B", "preresnet-110", "resnet-56:width=8", "googlenet"]
)
def test_a_network_that_the_paper_does_not_speak_of_has_no_figure_of_its(name: str) -> None:
    """Its Table 6 has a Highway network of 32 layers, which is another, and option A alone on CIFAR-10."""
    assert printed(network(name)) is None


@pytest.mark.parametrize("name", ["plain-20", "resnet-56:shortcut=B", "highway-20", "resnet-20:preactivation=on"])
def test_an_outline_does_not_depend_on_where_it_was_counted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU, where a network is small, as on the meta device."""
    counted = []
    for most in (0, 10**9):
        monkeypatch.setattr(outlines, "_SMALL", most)
        outlines.summary.cache_clear()
        outlines._traced.cache_clear()
        counted.append(outlines.summary(network(name)))
    assert counted[0] == counted[1]
