"""Every block's forward pass against its formula, written out here with functional calls."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.config import NetworkConfig, network
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork
from explorer.networks.residual_blocks import Block

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def seasoned(config: NetworkConfig, seed: int = 0) -> ResidualNetwork:
    """A network in evaluation mode with nothing left at a value that hides a mistake, such as 0 or 1."""
    model = build(config, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dim() <= 1 and tensor.dtype.is_floating_point:
                low, high = (0.5, 1.5) if "running_var" in name or name.endswith("weight") else (-0.5, 0.5)
                tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))
    return model.eval()


def _normalized(x: Tensor, bn: nn.Module) -> Tensor:
    assert isinstance(bn, nn.BatchNorm2d)
    scale = bn.weight / (bn.running_var + 1e-5).sqrt()
    return x * scale[:, None, None] + (bn.bias - bn.running_mean * scale)[:, None, None]


def _conv(x: Tensor, conv: nn.Module, stride: int = 1) -> Tensor:
    assert isinstance(conv, nn.Conv2d)
    return functional.conv2d(x, conv.weight, conv.bias, stride=stride, padding=conv.weight.shape[-1] // 2)


def _basic(block: Block, x: Tensor, stride: int) -> Tensor:
    out = _normalized(_conv(x, block.conv1, stride), block.bn1).relu()
    return _normalized(_conv(out, block.conv2), block.bn2)


def _padded(x: Tensor, stride: int, channels: int, before: int = 0) -> Tensor:
    """Option A by its definition: every second pixel, zero channels."""
    out = torch.zeros(len(x), channels, x.shape[2] // stride, x.shape[3] // stride)
    out[:, before : before + x.shape[1]] = x[:, :, ::stride, ::stride]
    return out


def _projected(block: Block, x: Tensor, stride: int) -> Tensor:
    assert block.shortcut is not None
    return _normalized(_conv(x, block.shortcut.conv, stride), block.shortcut.bn)


def _bottleneck(block: Block, x: Tensor, first: int, second: int) -> Tensor:
    out = _normalized(_conv(x, block.conv1, first), block.bn1).relu()
    out = _normalized(_conv(out, block.conv2, second), block.bn2).relu()
    return _normalized(_conv(out, block.conv3), block.bn3)


def _pre(block: Block, activated: Tensor, stride: int) -> Tensor:
    return _conv(_normalized(_conv(activated, block.conv1, stride), block.bn2).relu(), block.conv2)


def _activated(block: Block, x: Tensor) -> Tensor:
    return _normalized(x, block.bn1).relu()


def _highway(block: Block, x: Tensor, stride: int, carried: Tensor) -> Tensor:
    gate = 1 / (1 + (-_conv(x, block.gate.conv, stride)).exp())
    return gate * _basic(block, x, stride).relu() + (1 - gate) * carried


# name, block, channels in, formula
FORMULAS: list[tuple[str, str, Callable[[Block, Tensor], Tensor]]] = [
    ("plain-14", "stage1.0", lambda b, x: _basic(b, x, 1).relu()),
    ("plain-14", "stage2.0", lambda b, x: _basic(b, x, 2).relu()),
    ("resnet-14", "stage1.1", lambda b, x: (_basic(b, x, 1) + x).relu()),
    ("resnet-14", "stage2.0", lambda b, x: (_basic(b, x, 2) + _padded(x, 2, 32)).relu()),
    ("resnet-14:zeros=around", "stage2.0", lambda b, x: (_basic(b, x, 2) + _padded(x, 2, 32, before=8)).relu()),
    ("resnet-14:shortcut=B", "stage2.0", lambda b, x: (_basic(b, x, 2) + _projected(b, x, 2)).relu()),
    ("resnet-14:shortcut=B", "stage2.1", lambda b, x: (_basic(b, x, 1) + x).relu()),
    ("resnet-14:shortcut=C", "stage2.1", lambda b, x: (_basic(b, x, 1) + _projected(b, x, 1)).relu()),
    ("resnet-14:strength=0.3", "stage1.1", lambda b, x: (_basic(b, x, 1) + 0.3 * x).relu()),
    ("resnet-14:survival=0.4", "stage3.1", lambda b, x: (0.4 * _basic(b, x, 1) + x).relu()),
    ("resnet-14:survival=0.4", "stage1.0", lambda b, x: (0.9 * _basic(b, x, 1) + x).relu()),
    ("resnet-20-bottleneck", "stage1.0", lambda b, x: (_bottleneck(b, x, 1, 1) + _projected(b, x, 1)).relu()),
    ("resnet-20-bottleneck", "stage2.0", lambda b, x: (_bottleneck(b, x, 2, 1) + _projected(b, x, 2)).relu()),
    ("resnet-20-bottleneck:stride_in=3x3", "stage2.0",
     lambda b, x: (_bottleneck(b, x, 1, 2) + _projected(b, x, 2)).relu()),
    ("resnet-20-bottleneck", "stage2.1", lambda b, x: (_bottleneck(b, x, 1, 1) + x).relu()),
    ("plain-20-bottleneck", "stage2.1", lambda b, x: _bottleneck(b, x, 1, 1).relu()),
    ("preresnet-14", "stage1.0", lambda b, x: _pre(b, _activated(b, x), 1) + _activated(b, x)),
    ("preresnet-14", "stage1.1", lambda b, x: _pre(b, _activated(b, x), 1) + x),
    ("preresnet-14", "stage2.0", lambda b, x: _pre(b, _activated(b, x), 2) + _padded(x, 2, 32)),
    ("preresnet-14:shortcut=B", "stage2.0",
     lambda b, x: _pre(b, _activated(b, x), 2) + _projected(b, _activated(b, x), 2)),
    ("plain-14:preactivation=on", "stage1.1", lambda b, x: _pre(b, _activated(b, x), 1)),
    ("highway-14", "stage1.1", lambda b, x: _highway(b, x, 1, x)),
    ("highway-14", "stage2.0", lambda b, x: _highway(b, x, 2, _padded(x, 2, 32))),
    ("skipinit-14", "stage1.1",
     lambda b, x: (b.scale.alpha * _conv(_conv(x, b.conv1).relu(), b.conv2) + x).relu()),
    ("plain-14:bn=off", "stage1.1", lambda b, x: _conv(_conv(x, b.conv1).relu(), b.conv2).relu()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "place", "formula"), FORMULAS, ids=[f"{name} {at}" for name, at, _ in FORMULAS])
def test_a_block_computes_its_formula(name: str, place: str, formula: Callable[[Block, Tensor], Tensor]) -> None:
    block = seasoned(network(name), seed=1).get_submodule(place)
    assert isinstance(block, Block)
    first = block.bn1.num_features if "pre" in name else block.conv1.in_channels
    x = torch.rand(2, first, 8, 8, generator=torch.Generator().manual_seed(2)) - 0.2
    with torch.no_grad():
        torch.testing.assert_close(block(x), formula(block, x), **CLOSE)


def test_the_first_block_alone_shares_its_activation_with_the_shortcut() -> None:
    model = seasoned(network("preresnet-14"))
    assert [block.shares_activation for block in (*model.stage1, *model.stage2)] == [True, False, False, False]


def test_a_preactivation_network_activates_once_more_before_the_head() -> None:
    model = seasoned(network("preresnet-8"))
    x = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        out = model.conv(x)
        for stage in (model.stage1, model.stage2, model.stage3):
            out = stage(out)
        out = _normalized(out, model.bn).relu().mean(dim=(2, 3))
        torch.testing.assert_close(model(x), functional.linear(out, model.head.weight, model.head.bias), **CLOSE)


def test_strength_0_computes_what_the_plain_network_does_and_1_what_the_residual_one_does() -> None:
    x = torch.rand(2, 3, 16, 16)
    plain, residual = (seasoned(network(name))(x) for name in ("plain-14", "resnet-14"))
    for strength, expected in (("0", plain), ("0.999999", residual)):
        torch.testing.assert_close(
            seasoned(network(f"resnet-14:strength={strength}"))(x), expected, rtol=1e-3, atol=1e-3
        )
    assert not torch.allclose(plain, residual, atol=0.1)


def test_gates_start_from_their_bias_and_a_closed_gate_carries() -> None:
    block = build(network("highway-8:gate_bias=-20")).stage1[0].eval()
    assert block.gate.conv.bias.tolist() == [-20.0] * 16
    x = torch.rand(1, 16, 8, 8)
    torch.testing.assert_close(block(x), x, rtol=0, atol=1e-4)


def test_skipinit_starts_as_its_shortcut_alone() -> None:
    block = build(network("skipinit-8")).stage1[0]
    x = torch.rand(2, 16, 8, 8)
    assert block.scale.alpha.item() == 0
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("init", "expected"),
    [("kaiming", (2 / 576) ** 0.5), ("xavier", (2 / 1152) ** 0.5), ("small", (2 / 576) ** 0.5 / 2),
     ("large", (2 / 576) ** 0.5 * 2)],
)  # fmt: skip
def test_initialisations_have_their_standard_deviation(init: str, expected: float) -> None:
    weight = build(network(f"plain-20:init={init}")).stage3[2].conv2.weight.detach()
    assert float(weight.std()) == pytest.approx(expected, rel=0.02)


def test_stochastic_depth_falls_linearly_and_skips_as_often_as_it_says() -> None:
    model = build(network("resnet-14:survival=0.4"), seed=5).train()
    depths = [block.stochastic_depth for stage in (model.stage1, model.stage2, model.stage3) for block in stage]
    assert [depth.survival for depth in depths] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    skipped = sum(depths[-1].skips() for _ in range(2000)) / 2000
    assert skipped == pytest.approx(0.6, abs=0.05)


def test_dropout_keeps_the_mean_and_leaves_evaluation_alone() -> None:
    dropout = build(network("resnet-14:dropout=0.3"), seed=5).stage3[1].dropout
    out = dropout(torch.full((64, 16, 8, 8), 2.0))
    assert out.unique().tolist() == pytest.approx([0, 2 / 0.7])
    assert float((out == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    x = torch.rand(2, 3)
    assert torch.equal(dropout.eval()(x), x)


@pytest.mark.parametrize("family", ["plain", "resnet", "preresnet", "highway"])
def test_dropout_stands_between_the_layers_of_a_block(family: str) -> None:
    """Without what it lets through, the second layer sees nothing: its BN puts out its shift, or F is 0."""
    block = build(network(f"{family}-14:dropout=0.5"), seed=5).train().stage1[1]
    block.dropout.forward = torch.zeros_like
    f = block.residual(torch.rand(4, 16, 8, 8))
    assert torch.equal(f, torch.zeros_like(f))


def test_twins_drop_the_same_values() -> None:
    x, drawn = torch.ones(4, 16, 8, 8), []
    for name in ("plain-14:dropout=0.5", "resnet-14:dropout=0.5"):
        drawn.append(build(network(name), seed=5).train().stage1[1].dropout(x))
        torch.rand(3)  # global chance has no part in it
    assert torch.equal(*drawn)


def test_a_skipped_block_is_its_shortcut_and_draws_depend_on_the_seed_alone() -> None:
    x = torch.rand(4, 64, 4, 4)
    draws = []
    for seed in (5, 5, 6):
        block = build(network("resnet-14:survival=0.4"), seed).train().stage3[1]
        draws.append([bool(torch.equal(block(x), x)) for _ in range(20)])
        torch.rand(3)  # global chance has no part in it
    assert draws[0] == draws[1] != draws[2]
    assert any(draws[0])
    assert not all(draws[0])
