"""Maps with known answers, and a network that nobody can tell has been explained."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.attribution.explain import attribute, attributions
from explorer.attribution.methods import METHODS
from explorer.attribution.rules import with_multipliers, with_rules
from explorer.attribution.segments import segments
from explorer.config import network as named
from explorer.errors import ExplorerError
from explorer.networks.blocks import Scale
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork

NETWORKS = [f"{name}width=4" for name in ("plain-8:", "resnet-8:", "resnet-8:shortcut=B,", "resnet-8:shortcut=C,")]
FAMILIES = [
    *NETWORKS,
    *(f"{name}width=4" for name in (
            "preresnet-8:", "preresnet-8:shortcut=B,", "highway-8:", "skipinit-8:", "plain-8:bn=off,",
            "resnet-11-bottleneck:", "preresnet-11-bottleneck:", "resnet-8:strength=0.5,", "resnet-8:survival=0.5,",
            "resnet-8:dropout=0.5,",
            "resnet-18@imagenet:classes=10,", "resnet-50@imagenet:classes=10,",
    )),
]  # fmt: skip
"""Every kind of network that can be trained or imported. VGG and GoogLeNet are there for counting: none has weights."""


def _linear(seed: int = 0) -> tuple[nn.Sequential, Tensor]:
    """A linear network of 3x8x8 images, and its weights as (classes, 3, 8, 8)."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 4))
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        nn.init.normal_(parameter, generator=generator)
    return network, network[1].weight.detach().reshape(4, 3, 8, 8)


def _image(seed: int = 1, size: int = 8) -> Tensor:
    return torch.randn(3, size, size, generator=torch.Generator().manual_seed(seed))


def _seasoned(name: str, seed: int = 0) -> ResidualNetwork:
    """Random weights, but BN with a bias and statistics that are not those of a fresh network."""
    network = build(named(name), seed)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias, std=0.1, generator=generator)
            nn.init.uniform_(module.weight, 0.8, 1.2, generator=generator)
            nn.init.uniform_(module.running_var, 0.5, 1.5, generator=generator)
        elif isinstance(module, Scale):
            nn.init.constant_(module.alpha, 0.3)
    return network.eval()


# Known answers


@pytest.mark.parametrize("method", ["integrated_gradients", "input_x_gradient", "deep_lift", "gradient_shap"])
def test_on_a_linear_network_a_pixel_counts_its_value_times_its_weight(method: str) -> None:
    network, weights = _linear()
    found = attribute(network, _image(), 2, method)
    np.testing.assert_allclose(found.values, (_image() * weights[2]).sum(0), rtol=1e-4, atol=1e-5)
    assert found.difference == pytest.approx(float((_image() * weights[2]).sum()), rel=1e-4)
    assert (found.completeness_error is None) == (method == "input_x_gradient")
    assert (found.completeness_error or 0) < 1e-4


def test_saliency_of_a_linear_network_is_its_absolute_weights_summed_over_channels() -> None:
    network, weights = _linear()
    np.testing.assert_allclose(attribute(network, _image(), 1, "saliency").values, weights[1].abs().sum(0), rtol=1e-5)


def test_occlusion_of_a_linear_network_is_the_mean_fall_of_the_windows_over_a_pixel() -> None:
    network, weights = _linear()
    product = (_image() * weights[3]).sum(0)
    total, count = torch.zeros(8, 8), torch.zeros(8, 8)
    for top in range(0, 5, 2):
        for left in range(0, 5, 2):
            window = (slice(top, top + 4), slice(left, left + 4))
            total[window] += product[window].sum()
            count[window] += 1
    found = attribute(network, _image(), 3, "occlusion", window=0.5, stride=0.25)
    np.testing.assert_allclose(found.values, total / count, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", ["stage1", "stage2", "stage3"])
def test_grad_cam_agrees_with_autograd_by_hand(layer: str) -> None:
    network, image = _seasoned("resnet-8:width=4"), _image(size=16)
    kept: list[Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    output = network(image[None])[0, 5]
    handle.remove()
    (gradient,) = torch.autograd.grad(output, kept[0])
    expected = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1)[0].detach()
    found = attribute(network, image, 5, "grad_cam", layer=layer)
    grid = found.values if layer == "stage1" else found.grid
    np.testing.assert_allclose(grid, expected, rtol=1e-4, atol=1e-6)
    assert grid.shape == {"stage1": (16, 16), "stage2": (8, 8), "stage3": (4, 4)}[layer]
    assert found.values.shape == (16, 16)


def test_grad_cam_reads_the_last_stage_unless_told_otherwise() -> None:
    network = _seasoned("plain-8:width=4")
    last, default = (
        attribute(network, _image(), 0, "grad_cam", layer="stage3"),
        attribute(network, _image(), 0, "grad_cam"),
    )
    np.testing.assert_array_equal(last.values, default.values)


def test_guided_backpropagation_drops_what_is_negative_on_the_way_back() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    network[1].weight.data = torch.stack([torch.full((12,), 1.0), torch.full((12,), 2.0)])
    network[3].weight.data = torch.tensor([[3.0, -5.0]])
    found = attribute(network, torch.ones(3, 2, 2), 0, "guided_backprop")
    np.testing.assert_allclose(found.values, np.full((2, 2), 9.0))  # 3 channels of 3 * 1; -5 * 2 is dropped


@pytest.mark.parametrize("method", ["smooth_grad", "saliency"])
def test_noise_changes_nothing_on_a_linear_network(method: str) -> None:
    network, weights = _linear()
    np.testing.assert_allclose(attribute(network, _image(), 1, method).values, weights[1].abs().sum(0), rtol=1e-4)


def test_smooth_grad_averages_before_it_takes_the_sign_away() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 1, bias=False), _Absolute())
    nn.init.ones_(network[1].weight)
    image = torch.full((3, 2, 2), 1e-3)  # |sum| has a kink at zero: noisy copies lie on both sides of it
    image[0, 0, 0], image[1, 0, 0] = 1.0, -1.0
    assert attribute(network, image, 0, "saliency").values == pytest.approx(3.0)
    assert attribute(network, image, 0, "smooth_grad", samples=400, noise=0.5).values.max() < 1.0


def test_kernel_shap_of_a_linear_network_shares_a_patch_out_among_its_pixels() -> None:
    network, weights = _linear()
    product, patches = (_image() * weights[2]).sum(0), segments(_image(), 6)
    expected = torch.stack([product[patches == patch].mean() for patch in range(int(patches.max()) + 1)])[patches]
    found = attribute(network, _image(), 2, "kernel_shap", patches=6, samples=100)
    np.testing.assert_allclose(found.values, expected, atol=1e-3)


def test_feature_ablation_of_a_linear_network_is_what_a_patch_adds() -> None:
    network, weights = _linear()
    product, patches = (_image() * weights[2]).sum(0), segments(_image(), 6)
    expected = torch.stack([product[patches == patch].sum() for patch in range(int(patches.max()) + 1)])[patches]
    np.testing.assert_allclose(
        attribute(network, _image(), 2, "feature_ablation", patches=6).values, expected, atol=1e-4
    )


def test_lrp_of_a_linear_network_shares_the_bias_out_by_the_size_of_the_inputs() -> None:
    network, weights = _linear()
    image, bias = _image(), network[1].bias[1].item()
    found = attribute(network, image, 1, "lrp")
    expected = (image * weights[1]).sum(0) + bias * image.abs().sum(0) / image.abs().sum()
    np.testing.assert_allclose(found.values, expected.detach(), rtol=1e-4, atol=1e-4)


def test_guided_grad_cam_is_guided_backprop_where_grad_cam_speaks_for_the_class() -> None:
    network, image = _seasoned("resnet-8:width=4"), _image(size=16)
    kept: list[Tensor] = []
    handle = network.stage3.register_forward_hook(lambda _m, _i, out: kept.append(out))
    (gradient,) = torch.autograd.grad(network(image[None])[0, 5], kept[0])
    handle.remove()
    cam = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).clamp(min=0)
    wide = nn.functional.interpolate(cam, (16, 16), mode="bilinear")[0, 0].detach()
    guided = attribute(network, image, 5, "guided_backprop").values
    np.testing.assert_allclose(attribute(network, image, 5, "guided_grad_cam").values, wide * guided, atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_lrp_conserves_the_score_on_every_family(name: str) -> None:
    found = attribute(_seasoned(name), _image(size=32), 3, "lrp")
    assert found.completeness_error is not None
    assert found.completeness_error < 1e-3 * abs(found.difference)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_lrp_and_deep_lift_do_to_a_copy_leaves_its_outputs(name: str) -> None:
    network, images = _seasoned(name), torch.stack([_image(1, 32), _image(2, 32)])
    expected = network(images)
    torch.testing.assert_close(with_multipliers(copy.deepcopy(network))(images), expected)
    torch.testing.assert_close(with_rules(copy.deepcopy(network), images, 0)(images), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_deep_lift_is_complete_on_every_family(name: str) -> None:
    found = attribute(_seasoned(name), _image(size=32), 3, "deep_lift")
    assert found.completeness_error is not None
    assert found.completeness_error < 1e-4 * max(1.0, abs(found.difference))


def test_more_steps_bring_integrated_gradients_nearer_to_completeness() -> None:
    network, image = _seasoned("resnet-8:width=4"), _image(size=16)
    few, many = (
        attribute(network, image, 1, "integrated_gradients", steps=n, tolerance=0).completeness_error for n in (5, 300)
    )
    assert few is not None
    assert many is not None
    assert many < few
    assert many < 0.01


# Every method on every kind of network


def test_integrated_gradients_takes_points_where_the_network_bends() -> None:
    network, image = _seasoned("plain-14:width=4"), _image(size=16)
    bent = attribute(network, image, 1, "integrated_gradients", steps=30, tolerance=0)
    found = attribute(network, image, 1, "integrated_gradients", steps=30, tolerance=0.005)
    assert bent.completeness_error is not None
    assert bent.completeness_error > 0.01 * abs(bent.difference)
    assert found.completeness_error is not None
    assert found.completeness_error <= 0.005 * abs(found.difference)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_method_explains_every_family(method: str, name: str) -> None:
    fewer = {key: low for key, low in {"samples": 12, "patches": 4, "stride": 0.25}.items()
             if key in METHODS[method].parameters}  # fmt: skip
    found = attribute(_seasoned(name), _image(size=32), 3, method, **fewer)
    assert np.isfinite(found.values).all()
    assert found.values.any() or method == "guided_grad_cam"  # Grad-CAM may be negative throughout


@pytest.mark.parametrize("method", METHODS)
def test_an_image_gets_the_same_map_alone_and_among_others(method: str) -> None:
    network, images, targets = _seasoned(NETWORKS[2]), torch.stack([_image(n, 16) for n in range(3)]), [3, 1, 3]
    together = attributions(network, images, targets, method)
    for image, target, found in zip(images, targets, together, strict=True):
        alone = attribute(network, image, target, method)
        largest = float(np.abs(alone.values).max())
        np.testing.assert_allclose(found.values, alone.values, rtol=1e-3, atol=1e-4 * largest)
        assert found.target == target


@pytest.mark.parametrize("method", [name for name, entry in METHODS.items() if entry.uses_baseline])
def test_an_image_that_is_its_own_baseline_has_an_empty_map(method: str) -> None:
    found = attribute(_seasoned(NETWORKS[1]), _image(size=16), 3, method, baseline=_image(size=16))
    assert np.abs(found.values).max() < 1e-4
    assert found.difference == pytest.approx(0, abs=1e-5)


def test_no_draw_changes_the_numbers_that_others_draw() -> None:
    torch.manual_seed(7)
    np.random.seed(7)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(7)
    np.random.seed(7)
    for method in (name for name, entry in METHODS.items() if entry.draws):
        attribute(_seasoned(NETWORKS[0]), _image(), 3, method)
    torch.testing.assert_close(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])


@pytest.mark.parametrize("method", METHODS)
def test_a_map_has_one_finite_value_a_pixel_and_negative_ones_if_it_is_signed(method: str) -> None:
    negative = False
    for name in NETWORKS:
        found = attribute(_seasoned(name), _image(size=16), 3, method)
        assert found.values.shape == (16, 16)
        assert found.values.dtype == np.float32
        assert np.isfinite(found.values).all()
        assert found.values.any()
        assert found.signed == METHODS[method].signed
        assert set(found.parameters) == set(METHODS[method].parameters)
        assert found.seconds > 0
        negative |= bool((found.values < 0).any())
    assert negative == METHODS[method].signed


@pytest.mark.parametrize("method", METHODS)
def test_the_same_request_gives_the_same_bits(method: str) -> None:
    network, image = _seasoned(NETWORKS[1]), _image(size=16)
    first, second = (attribute(network, image, 3, method).values for _ in range(2))
    np.testing.assert_array_equal(first, second)


def _state(network: nn.Module) -> dict[str, Any]:
    """All that an explanation could leave behind."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        "hooks": [len(getattr(module, hook)) for module in network.modules() for hook in hooks],
        "modes": [module.training for module in network.modules()],
        "requires": [parameter.requires_grad for parameter in network.parameters()],
        "grads": [None if p.grad is None else p.grad.clone() for p in network.parameters()],
        "names": [sorted(vars(module)) for module in network.modules()],
        "values": {
            name: (tensor.clone(), tensor.stride(), tensor.dtype) for name, tensor in network.state_dict().items()
        },
    }


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return bool(first == second)


def _odd_network() -> ResidualNetwork:
    """One in the middle of something: mixed modes, a frozen layer, a gradient, a hook."""
    network = _seasoned("resnet-8:shortcut=B,width=4").train()
    network.stage2.eval()
    network.conv.weight.requires_grad_(False)
    network.head.weight.grad = torch.ones_like(network.head.weight)
    return network


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was_found(method: str) -> None:
    network = _odd_network()
    calls: list[int] = []
    network.stage1.register_forward_hook(lambda *_: calls.append(1))
    before = _state(network)
    attribute(network, _image(size=16), 3, method)
    assert _same(before, _state(network))
    assert not calls  # somebody else's measurement does not see the explanation


class _Absolute(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


class _Failing(nn.Module):
    """Passes a few forward passes on, then fails."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 1

    def forward(self, x: Tensor) -> Tensor:
        if self.left == 0:
            raise RuntimeError("out of memory\nand a long story")
        self.left -= 1
        return x


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was_found_when_a_method_fails(method: str) -> None:
    network = _odd_network()
    network.flatten = nn.Sequential(_Failing(), nn.Flatten())
    before = _state(network)
    with pytest.raises(ExplorerError, match=r"cannot explain this network: out of memory$"):
        attribute(network, _image(size=16), 3, method)
    assert _same(before, _state(network))


@pytest.mark.parametrize("method", METHODS)
def test_two_threads_explain_one_network_as_one_does(method: str) -> None:
    network = _seasoned(NETWORKS[1])
    images = [_image(seed, 16) for seed in range(4)]
    alone = [attribute(network, image, 3, method).values for image in images]
    together: dict[int, Any] = {}

    def explain(indices: range) -> None:
        for index in indices:
            together[index] = attribute(network, images[index], 3, method).values

    threads = [threading.Thread(target=explain, args=(range(start, 4, 2),)) for start in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, expected in enumerate(alone):
        np.testing.assert_array_equal(together[index], expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "trained_as",
    [lambda n: n.to(memory_format=torch.channels_last), lambda n: n.to(torch.bfloat16)],
    ids=["channels_last", "bf16"],
)
def test_how_a_network_was_trained_does_not_matter(method: str, trained_as: Callable[[nn.Module], nn.Module]) -> None:
    network = trained_as(_seasoned(NETWORKS[1]))
    plain = copy.deepcopy(network).float().to(memory_format=torch.contiguous_format)
    first, second = (attribute(n, _image(size=16), 3, method).values for n in (network, plain))
    np.testing.assert_array_equal(first, second)


def test_it_works_in_whatever_mode_the_caller_is_in() -> None:
    expected = attribute(_seasoned(NETWORKS[1]), _image(size=16), 3, "deep_lift").values
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        found = attribute(_seasoned(NETWORKS[1]), _image(size=16) + 0, 3, "deep_lift").values
    np.testing.assert_array_equal(found, expected)
