"""Baselines and patches, by images whose answer can be seen."""

import pytest
import torch

from explorer.attribution.baselines import BASELINES, baseline
from explorer.attribution.segments import segments
from explorer.data.prepared import Normalization
from explorer.errors import RequestError

NORMALIZATION = Normalization(torch.full((3, 8, 8), 0.25), torch.full((3, 1, 1), 0.5))


def test_the_mean_is_zero_and_black_is_below_it_in_the_networks_units() -> None:
    image = torch.full((3, 8, 8), 128, dtype=torch.uint8)
    assert baseline("mean", image, NORMALIZATION).abs().max() == 0
    torch.testing.assert_close(baseline("zero", image, NORMALIZATION), torch.full((3, 8, 8), -0.5))


def test_blurring_keeps_a_plain_image_and_flattens_an_edge() -> None:
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    torch.testing.assert_close(
        baseline("blurred", image + 100, NORMALIZATION), NORMALIZATION((image + 100)[None])[0], rtol=1e-4, atol=1e-4
    )
    image[:, :, 4:] = 255
    found = baseline("blurred", image, NORMALIZATION)
    steps = found[0, 4].diff()
    assert (steps >= -1e-6).all()
    assert steps.max() < 1.6  # the edge itself is 2 high


def test_noise_is_always_the_same_and_none_of_the_image() -> None:
    first, second = (torch.full((3, 8, 8), level, dtype=torch.uint8) for level in (0, 200))
    torch.testing.assert_close(baseline("noise", first, NORMALIZATION), baseline("noise", second, NORMALIZATION))
    assert baseline("noise", first, NORMALIZATION).std() > 0.3


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_has_the_images_shape_and_leaves_it_as_it_was(name: str) -> None:
    image = torch.randint(0, 256, (3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    before = image.clone()
    found = baseline(name, image, NORMALIZATION)
    assert (found.shape, found.dtype) == (image.shape, torch.float32)
    assert torch.equal(image, before)


def test_an_unknown_baseline_is_refused() -> None:
    with pytest.raises(RequestError, match="baseline 'grey' is unknown: choose one of mean, zero, blurred, noise"):
        baseline("grey", torch.zeros(3, 8, 8, dtype=torch.uint8), NORMALIZATION)


def test_patches_follow_colours_and_are_numbered_without_gaps() -> None:
    image = torch.zeros(3, 16, 16)
    image[:, :, 8:] = 5
    found = segments(image, 8)
    assert found.unique().tolist() == list(range(int(found.max()) + 1))
    assert not set(found[:, :8].unique().tolist()) & set(found[:, 8:].unique().tolist())
    assert 4 <= int(found.max()) + 1 <= 10
    assert torch.equal(found, segments(image, 8))


def test_one_patch_for_each_pixel_at_most() -> None:
    assert segments(torch.randn(3, 2, 2), 100).max() <= 3
    assert segments(torch.zeros(3, 8, 8), 2).unique().numel() == 2
