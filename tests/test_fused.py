"""BN, sum and ReLU at once against torch's modules in double precision, and where they may not take their place."""

import pytest
import torch
from torch import Tensor, nn

from explorer.config import RunConfig, network
from explorer.data.image_set import ImageSet
from explorer.measurement.branches import branches_heard
from explorer.measurement.gates import gates_heard
from explorer.measurement.gradients import layer_gradients
from explorer.measurement.responses import responses_heard
from explorer.networks import fused as module
from explorer.networks.build import build
from explorer.networks.fused import fused, fuses, heard, overwritten, rectified, sums
from explorer.records import EvaluationRecord
from explorer.training import Training

pytest.importorskip("numba", reason="without it torch's modules do the work")

SHAPES = [(6, 8, 5, 8), (4, 16, 6, 6), (3, 32, 5, 6), (2, 64, 7, 3), (2, 128, 3, 3), (2, 256, 2, 3)]
RELU = nn.ReLU()


def _drawn(shape: tuple[int, ...], seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    return numbers.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else numbers


def _bn(channels: int) -> nn.BatchNorm2d:
    bn = nn.BatchNorm2d(channels)
    with torch.no_grad():
        bn.weight.copy_(1 + 0.3 * _drawn((channels,), 1))
        bn.bias.copy_(0.5 * _drawn((channels,), 2))
    return bn


def _twin(bn: nn.BatchNorm2d) -> nn.BatchNorm2d:
    twin = nn.BatchNorm2d(bn.num_features).double()
    twin.load_state_dict(bn.state_dict())
    return twin.train(bn.training)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values_gradients_and_statistics_are_those_of_the_modules(
    shape: tuple[int, ...], joined: bool, dtype: torch.dtype
) -> None:
    """To single precision; what is stored as bfloat16 to half of its last place, 2^-9 of the number."""
    bn = _bn(shape[1])
    twin = _twin(bn)
    given = [(2 * _drawn(shape, 3, dtype) + 1), _drawn(shape, 4, dtype)][: 1 + joined]
    ours, theirs = ([one.clone().to(to).requires_grad_() for one in given] for to in (dtype, torch.float64))
    slope = _drawn(shape, 5, dtype)
    with fused():
        assert fuses(bn, ours[0])
        y = rectified(bn, RELU, *ours)
        y.backward(slope)
    wanted = twin(theirs[0]) + theirs[1] if joined else twin(theirs[0])
    wanted.relu().backward(slope.double())
    stored = {"rtol": 2**-8, "atol": 1e-5} if dtype == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(y.double(), wanted.relu(), **stored)
    for mine, its in zip(ours, theirs, strict=True):
        assert mine.grad is not None
        torch.testing.assert_close(mine.grad.double(), its.grad, **(stored | {"atol": 1e-4}))
    for name in ("weight", "bias"):
        torch.testing.assert_close(getattr(bn, name).grad.double(), getattr(twin, name).grad, rtol=1e-4, atol=1e-3)
    for (name, mine), its in zip(bn.state_dict().items(), twin.state_dict().values(), strict=True):
        torch.testing.assert_close(mine.double(), its.double(), rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.parametrize("joined", [False, True])
def test_in_evaluation_mode_what_was_gathered_is_used_and_kept(joined: bool) -> None:
    bn = _bn(16).eval()
    assert bn.running_mean is not None
    bn.running_mean.copy_(_drawn((16,), 6))
    before = {name: value.clone() for name, value in bn.state_dict().items()}
    given = [_drawn((2, 16, 4, 4), seed) for seed in (7, 8)][: 1 + joined]
    with fused(), torch.inference_mode():
        assert fuses(bn, given[0])
        y = rectified(bn, RELU, *given)
    torch.testing.assert_close(y, (bn(given[0]) + (given[1] if joined else 0)).relu(), rtol=1e-5, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in bn.state_dict().items())


@pytest.mark.parametrize("name", ["plain-8", "resnet-8", "resnet-11-bottleneck", "resnet-8:preactivation=on"])
def test_with_a_batchs_own_statistics_gradients_are_those_of_the_modules_and_nothing_is_gathered(name: str) -> None:
    model, images, labels = build(network(name)), _drawn((8, 3, 16, 16), 15), torch.arange(8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    alone = layer_gradients(model, images, labels)
    with fused():
        together = layer_gradients(model, images, labels)
    for mine, its in zip(together, alone, strict=True):
        assert mine.norm == pytest.approx(its.norm, rel=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_all_values_and_their_squares_are_added_up(dtype: torch.dtype) -> None:
    x = (3 + _drawn((5, 24, 8, 8), 16)).to(dtype)
    assert sums(x) is None, "not asked for"
    with fused():
        found = sums(x)
        assert sums(x.contiguous()) is None, "its channels come first"
        assert sums(_drawn((3, 3, 3, 3), 17)) is None, "no multiple of 64"
    wanted = torch.stack([x.double().sum(), x.double().square().sum()])
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "name", ["plain-8", "resnet-8", "resnet-11-bottleneck", "resnet-8:preactivation=on", "highway-8"]
)
def test_who_listens_hears_every_module(name: str) -> None:
    """The same responses, branches and gates as where nothing was asked for."""
    model, images = build(network(name)).eval(), _drawn((8, 3, 16, 16), 18)

    def measured() -> list[tuple[str, float]]:
        found: list[tuple[str, float]] = []
        with torch.no_grad(), responses_heard(model) as responses:
            model(images)
        with torch.no_grad(), branches_heard(model) as branches, gates_heard(model) as gates:
            model(images)
        found += [(one.layer, one.std) for one in responses()]
        found += [(one.block + part, getattr(one, part)) for one in branches() for part in ("residual", "shortcut")]
        return found + [(one.block, one.mean) for one in gates()]

    with fused():
        together = measured()
    alone = measured()
    assert [name for name, _ in together] == [name for name, _ in alone]
    assert [value for _, value in together] == pytest.approx([value for _, value in alone], rel=1e-4)
    assert len(alone) > 3


@pytest.mark.parametrize("own", [True, False], ids=["its own statistics", "gathered ones"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_who_listens_to_bn_hears_what_it_puts_out_before_relu(dtype: torch.dtype, own: bool) -> None:
    """Known: BN in float64. A loop does the work, so torch's own is not called, but the hook is, once."""
    bn, x = _bn(8).train(own), _drawn((6, 8, 5, 8), 20, dtype)
    mean, variance = (x.double().mean((0, 2, 3)), x.double().var((0, 2, 3), correction=0)) if own else (
        bn.running_mean.double(), bn.running_var.double())  # fmt: skip
    shape = (1, 8, 1, 1)
    scaled = (x.double() - mean.view(shape)) / (variance.view(shape) + bn.eps).sqrt()
    wanted = scaled * bn.weight.double().view(shape) + bn.bias.double().view(shape)
    said: list[Tensor] = []
    handle = bn.register_forward_hook(lambda _, __, output: said.append(output.clone()))
    bn.forward = pytest.fail  # type: ignore[assignment, method-assign]
    with torch.no_grad(), fused(), heard():
        y = rectified(bn, RELU, x)
    handle.remove()
    allowed = 2**-8 if dtype == torch.bfloat16 else 1e-5
    assert len(said) == 1
    torch.testing.assert_close(said[0].double(), wanted, rtol=allowed, atol=allowed)
    assert torch.equal(y, said[0].relu())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_numbers_below_zero_become_zero_and_what_is_no_number_stays_none(dtype: torch.dtype) -> None:
    """Known: relu of infinities, of the smallest numbers there are, of both zeros, of NaN."""
    numbers = [float("inf"), -float("inf"), 1e-40, -1e-40, 0.0, -0.0, 3.0, float("nan")] * 8
    values = torch.tensor(numbers).to(dtype).reshape(1, 8, 8, 1).contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), fused(), heard():
        y = overwritten(pytest.fail, values.clone())
    torch.testing.assert_close(y, values.relu(), rtol=0, atol=0, equal_nan=True)
    assert values.dtype == y.dtype
    kept = values.clone()
    assert torch.equal(overwritten(RELU, kept).nan_to_num(), values.relu().nan_to_num())
    assert torch.equal(kept.nan_to_num(), values.nan_to_num()), "outside it is torch's, and overwrites nothing"


def test_with_gradients_who_listens_hears_torchs_own() -> None:
    bn, x = _bn(8), _drawn((6, 8, 5, 8), 21).requires_grad_()
    with fused(), heard():
        rectified(bn, RELU, x).sum().backward()
    mine, x.grad = x.grad, None
    RELU(bn(x)).sum().backward()
    assert mine is not None
    assert x.grad is not None
    assert torch.equal(mine, x.grad)


def test_bfloat16_is_rounded_as_torch_rounds_it() -> None:
    """With BN the identity, y is the sum of two numbers, rounded once: half-way cases, infinities, NaN among them."""
    bn = nn.BatchNorm2d(64, eps=0.0).eval()
    left = torch.cat([torch.arange(1, 65) * 2.0**-8, torch.randn(64 * 1000), torch.full((64,), float("inf"))])
    right = torch.cat([torch.ones(64), torch.randn(64 * 1000), torch.full((64,), float("nan"))])
    x, carried = (one.bfloat16().reshape(1, -1, 64, 1).permute(0, 2, 1, 3) for one in (left, right))
    with fused(), torch.no_grad():
        y = rectified(bn, RELU, x, carried)
    wanted = (x.float() + carried.float()).relu().bfloat16()
    assert torch.equal(y.nan_to_num(7.0), wanted.nan_to_num(7.0))
    assert y.isnan().sum() == 64


def test_a_small_variance_beside_a_large_mean_is_not_lost() -> None:
    bn = nn.BatchNorm2d(16, momentum=1.0)
    x = 1000 + _drawn((32, 16, 8, 8), 9)
    with fused():
        rectified(bn, RELU, x)
    assert bn.running_mean is not None
    assert bn.running_var is not None
    torch.testing.assert_close(bn.running_mean.double(), x.double().mean((0, 2, 3)), rtol=1e-6, atol=0)
    torch.testing.assert_close(bn.running_var.double(), x.double().var((0, 2, 3)), rtol=1e-4, atol=0)


def test_what_is_no_number_stays_none() -> None:
    bn = nn.BatchNorm2d(16)
    x = _drawn((2, 16, 4, 4), 10)
    x[0, 3, 0, 0] = float("nan")
    with fused():
        y = rectified(bn, RELU, x)
    assert y[:, 3].isnan().all()
    assert not y[:, 4].isnan().any()


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "name",
    [
        "plain-8", "resnet-8", "resnet-8:shortcut=B", "resnet-8:shortcut=C", "resnet-8:width=64", "skipinit-8",
        "resnet-8:dropout=0.2", "resnet-11-bottleneck", "resnet-8:preactivation=on", "resnet-8:survival=0.5",
        "resnet-11-bottleneck:preactivation=on", "highway-8", "resnet-8:strength=0.5", "resnet-8:bn=off",
    ],
)  # fmt: skip
def test_a_step_of_every_kind_of_network_is_the_same(name: str, precision: torch.dtype) -> None:
    """Of each network's loss the gradient of all weights together, and what BN gathered."""
    images = _drawn((8, 3, 16, 16), 11)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
        alone, together = build(network(name)), build(network(name))
        alone(images).float().square().sum().backward()
        with fused():
            together(images).float().square().sum().backward()
    allowed = 1e-4 if precision == torch.float32 else 0.1
    ours, theirs = (
        torch.cat([torch.zeros(1) if w.grad is None else w.grad.flatten() for w in one.parameters()])
        for one in (together, alone)
    )
    assert (ours - theirs).norm() < allowed * theirs.norm()
    for mine, its in zip(together.buffers(), alone.buffers(), strict=True):
        torch.testing.assert_close(mine, its, rtol=allowed, atol=allowed)


def _heard(model: nn.Module, images: Tensor, asked: bool) -> int:
    """How many BN modules are called in a forward pass."""
    called: list[nn.Module] = []
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    handles = [norm.register_forward_hook(lambda norm, *_: called.append(norm)) for norm in norms]
    if asked:
        with fused():
            model(images)
    else:
        model(images)
    for handle in handles:
        handle.remove()
    return len(called)


def test_modules_are_passed_over_only_where_that_was_asked_for() -> None:
    model, images = build(network("resnet-8")), _drawn((2, 3, 16, 16), 12)
    assert _heard(model, images, asked=False) == 7
    assert _heard(model, images, asked=True) == 0


def test_what_does_not_lie_in_lanes_is_left_to_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    images = _drawn((2, 3, 16, 16), 13)
    assert _heard(build(network("resnet-8:width=12")), images, asked=True) == 7
    model = build(network("resnet-8"))
    with torch.enable_grad():
        assert _heard(model.eval(), images, asked=True) == 7, "gradients through gathered statistics are torch's"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert _heard(model.train(), images, asked=True) == 7, "many threads: torch uses them all"
    monkeypatch.undo()
    monkeypatch.setattr(module, "_compiles", lambda: False)
    assert _heard(model, images, asked=True) == 7, "without numba"


def test_it_is_repeated_to_the_bit() -> None:
    def once() -> Tensor:
        model = build(network("resnet-8"))
        with fused(), torch.autocast("cpu", dtype=torch.bfloat16):
            model(_drawn((8, 3, 16, 16), 14)).float().square().sum().backward()
        return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])

    assert torch.equal(once(), once())


def test_a_training_asks_for_it(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    model = build(tiny_run.network)
    training = Training(model, tiny_images, tiny_run.training)
    training.advance()
    called: list[nn.Module] = []
    assert isinstance(model.bn, nn.BatchNorm2d)
    model.bn.register_forward_hook(lambda norm, *_: called.append(norm))
    assert not any(isinstance(record, EvaluationRecord) for record in training.advance())
    assert called == []
    assert int(model.bn.get_buffer("num_batches_tracked")) == 1
