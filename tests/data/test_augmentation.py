import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer.data.augmentation import augment, channel_statistics, epoch_order, pixel_mean, prepare
from explorer.errors import RequestError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_bytes(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator(1))


def variants(image: torch.Tensor, kind: str) -> list[torch.Tensor]:
    """Everything that augmentation may make of one (3, H, W) image, by plain slicing."""
    size = image.shape[1]
    mirrors = [image, torch.from_numpy(image.numpy()[:, :, ::-1].copy())]
    if kind == "flip":
        return mirrors
    padded = [functional.pad(mirror, (4, 4, 4, 4)) for mirror in mirrors]
    return [
        one[:, down : down + size, right : right + size] for one in padded for down in range(9) for right in range(9)
    ]


@pytest.mark.parametrize(("kind", "ways"), [("flip", 2), ("crop+flip", 2 * 9 * 9)])
def test_every_image_is_one_of_the_possible_variants_by_a_draw_of_its_own(kind: str, ways: int) -> None:
    # One image many times in a batch: were there one draw a batch, all results would be equal.
    image = torch.randn(3, 6, 6, generator=generator())
    possible = torch.stack(variants(image, kind))
    results = augment(image.repeat(3000, 1, 1, 1), kind, generator())
    same = (results[:, None] == possible[None]).flatten(2).all(dim=2)
    assert same.any(dim=1).all()
    counts = same.sum(dim=0)
    assert len(possible) == ways
    assert (counts > 0).all()
    assert counts.max() < 3000 / ways * 2.5  # all about equally often


@pytest.mark.parametrize("kind", ["none", "flip", "crop+flip"])
def test_images_keep_their_places_and_the_batch_is_not_written_to(kind: str) -> None:
    images = torch.arange(1.0, 41.0)[:, None, None, None].repeat(1, 3, 16, 16)
    before = images.clone()
    results = augment(images, kind, generator())
    assert torch.equal(images, before)
    assert torch.equal(results.amax(dim=(1, 2, 3)), torch.arange(1.0, 41.0))


@pytest.mark.parametrize("kind", ["none", "flip", "crop+flip"])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_result_is_channels_last(kind: str, layout: torch.memory_format) -> None:
    images = torch.randn(5, 3, 8, 8).contiguous(memory_format=layout)
    results = augment(images, kind, generator())
    assert results.shape == images.shape
    assert results.is_contiguous(memory_format=torch.channels_last)


def test_the_generator_alone_decides() -> None:
    images = torch.randn(64, 3, 8, 8)
    torch.manual_seed(1)
    first = augment(images, "crop+flip", generator(3))
    torch.manual_seed(2)
    assert torch.equal(first, augment(images, "crop+flip", generator(3)))
    assert not torch.equal(first, augment(images, "crop+flip", generator(4)))


def test_an_unknown_augmentation_is_refused() -> None:
    with pytest.raises(RequestError, match="rotate"):
        augment(torch.zeros(1, 3, 8, 8), "rotate", generator())


@pytest.mark.parametrize(("old", "new"), [(32, 16), (32, 8), (40, 16), (48, 32), (28, 27)])
def test_smaller_images_are_exact_averages_over_areas(old: int, new: int) -> None:
    images = random_bytes(3, 3, old, old)
    # Blow every pixel up to new x new copies, then average blocks of old x old: whole numbers all the way.
    big = np.kron(images.numpy().astype(np.int64), np.ones((1, 1, new, new), dtype=np.int64))
    sums = big.reshape(3, 3, new, old, new, old).sum(axis=(3, 5))
    expected = (2 * sums + old * old) // (2 * old * old)
    scaled = prepare(images, new)
    assert scaled.dtype == torch.uint8
    assert np.array_equal(scaled.numpy(), expected)


def test_halves_are_rounded_up_and_more_than_a_chunk_is_done() -> None:
    images = torch.tensor([[0, 1], [0, 1]], dtype=torch.uint8).repeat(1201, 3, 4, 4)
    assert (prepare(images, 4) == 1).all()


def test_images_are_not_enlarged_and_their_own_size_changes_nothing() -> None:
    images = random_bytes(2, 3, 16, 16)
    assert torch.equal(prepare(images, 16), images)
    with pytest.raises(RequestError, match="16 at most"):
        prepare(images, 32)


def test_statistics_agree_with_numpy() -> None:
    images = random_bytes(120, 3, 8, 8)
    images[:, 1] //= 3
    values = images.numpy().astype(np.float64) / 255
    mean, std = channel_statistics(images)
    assert np.allclose(pixel_mean(images), values.mean(axis=0), atol=1e-7)
    assert mean.shape == std.shape == (3, 1, 1)
    assert np.allclose(mean.flatten(), values.mean(axis=(0, 2, 3)), atol=1e-7)
    assert np.allclose(std.flatten(), values.std(axis=(0, 2, 3)), atol=1e-7)


def test_an_epoch_has_every_image_once_in_an_order_of_its_own() -> None:
    orders = {(seed, epoch): epoch_order(1000, seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    for order in orders.values():
        assert order.dtype == torch.int64
        assert torch.equal(order.sort().values, torch.arange(1000))
    assert len({tuple(order.tolist()) for order in orders.values()}) == 4
    torch.manual_seed(5)
    assert torch.equal(orders[1, 0], epoch_order(1000, 1, 0))


def test_the_order_stays_what_it_was_published_as() -> None:
    assert epoch_order(10, 0, 0).tolist() == [4, 6, 2, 7, 3, 5, 9, 0, 8, 1]
