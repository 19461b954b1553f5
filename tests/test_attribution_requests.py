"""Requests that are wrong are told in one line, and the table says what may be asked."""

import subprocess
import sys
from typing import Any

import pytest
import torch

from explorer.attribution.explain import attribute, attributions
from explorer.attribution.methods import METHODS
from explorer.errors import ExplorerError, RequestError
from tests.test_attribution import NETWORKS, _image, _linear, _seasoned


@pytest.mark.parametrize(
    ("method", "target", "parameters", "line"),
    [
        ("gradcam", 3, {}, r"unknown method 'gradcam': choose one of saliency, "),
        ("saliency", 3, {"steps": 5}, r"saliency has no parameter steps: it has none"),
        ("integrated_gradients", 3, {"step": 5}, r"has no parameter step: it has steps, tol"),
        ("integrated_gradients", 3, {"steps": 1}, r"steps is 1: it must be a whole number from 2 to 500"),
        ("integrated_gradients", 3, {"steps": 2.5}, r"steps is 2.5: it must be a whole number"),
        ("occlusion", 3, {"window": float("nan")}, r"window is nan: it must be a number from 0.03 to 1"),
        ("occlusion", 3, {"window": 0.1, "stride": 0.2}, r"stride 0.2 is larger than window 0.1"),
        ("grad_cam", 3, {"layer": "conv"}, r"layer 'conv' is unknown: choose one of stage1, stage2, stage3"),
        ("saliency", 10, {}, r"class 10 is unknown: the network has classes 0 to 9"),
        ("saliency", -1, {}, r"class -1 is unknown"),
        ("saliency", "cat", {}, r"class cat is unknown"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(method: str, target: Any, parameters: dict[str, Any], line: str) -> None:
    with pytest.raises(RequestError, match=line) as raised:
        attribute(_seasoned(NETWORKS[0]), _image(size=16), target, method, **parameters)
    assert "\n" not in str(raised.value)


def test_an_image_of_another_shape_is_refused() -> None:
    with pytest.raises(RequestError, match=r"one image \(3, height, width\) is needed"):
        attribute(_seasoned(NETWORKS[0]), _image()[None], 3, "saliency")
    with pytest.raises(RequestError, match=r"cannot read an image of shape \(1, 8, 8\)"):
        attribute(_seasoned(NETWORKS[0]), _image()[:1], 3, "saliency")


def test_a_network_without_stages_has_no_grad_cam() -> None:
    with pytest.raises(RequestError, match="has no stage"):
        attribute(_linear()[0], _image(), 0, "grad_cam")


def test_a_diverged_network_is_told_apart() -> None:
    network = _seasoned(NETWORKS[0])
    network.head.weight.data[0, 0] = torch.nan
    with pytest.raises(ExplorerError, match="training diverged"):
        attribute(network, _image(size=16), 3, "saliency")


def test_the_table_can_be_shown_before_torch_is_loaded() -> None:
    code = "import sys, explorer.attribution.methods; sys.exit(bool({'torch', 'captum'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_told_in_one_line_and_its_defaults_are_allowed(method: str) -> None:
    entry = METHODS[method]
    assert entry.explanation.endswith(".")
    assert len(entry.explanation) <= 115
    assert 3 <= entry.passes({}) <= 500
    assert all(more.passes({name: parameter.high}) >= entry.passes({}) for more in [entry]
               for name, parameter in entry.parameters.items() if name in ("steps", "samples", "patches"))  # fmt: skip
    for name, parameter in entry.parameters.items():
        assert parameter.read(name, parameter.default) == parameter.default


def test_as_many_classes_and_baselines_as_images_are_needed() -> None:
    images = torch.stack([_image(size=16)] * 2)
    with pytest.raises(RequestError, match="2 images need as many classes, not 1"):
        attributions(_seasoned(NETWORKS[0]), images, [3], "saliency")
    with pytest.raises(RequestError, match=r"the baseline has shape \(3, 8, 8\), the image \(3, 16, 16\)"):
        attribute(_seasoned(NETWORKS[0]), _image(size=16), 3, "deep_lift", baseline=_image(size=8))
