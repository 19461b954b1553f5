import hashlib
from dataclasses import replace

import numpy as np
import pytest

from explorer.data import shapes, sources


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


# Of the first 1000 images. If one changes, raise shapes.VERSION: runs of the old images must not mix with the new.
PUBLISHED = {
    "shapes": "97e2eadb6518f43de98d346ab83e2bf99dadecb79be4d72d9e850d526cbe085c",
    "shapes-cluttered": "73bd3a3bda6907850ebfd95598b1eb6eed0fb824310f08df9ef01be6fd881bd5",
}


@pytest.mark.parametrize("kind", list(PUBLISHED))
def test_the_images_of_this_version_stay_the_same_bytes(kind: str) -> None:
    images, _ = shapes.images_and_labels(shapes.VARIANTS[kind], 1000, shapes.SEED)
    assert shapes.VERSION == 1
    assert sha256(images) == PUBLISHED[kind]


def test_the_set_has_its_size_and_balanced_classes() -> None:
    loaded = sources.load("shapes")
    assert loaded.name == sources.resolve("shapes").name
    assert loaded.train_images.shape == (10_000, 3, 32, 32)
    assert loaded.test_images.shape == (2_000, 3, 32, 32)
    assert loaded.train_labels.bincount().tolist() == [1000] * 10
    assert loaded.test_labels.bincount().tolist() == [200] * 10
    assert loaded.classes[0] == "stripes disc"
    assert len(set(loaded.classes)) == 10


def test_no_image_comes_twice_and_another_seed_draws_others() -> None:
    variant = shapes.VARIANTS["shapes"]
    images, _ = shapes.images_and_labels(variant, 1500, 0)
    assert len({image.tobytes() for image in images}) == 1500
    others, _ = shapes.images_and_labels(variant, 500, 1)
    assert not np.array_equal(images[:500], others)
    assert np.array_equal(images[:500], shapes.images_and_labels(variant, 500, 0)[0])


def test_labels_tell_the_shape() -> None:
    """Without noise and clutter all that differs from the commonest shade is the shape: areas can be compared."""
    clear = replace(shapes.VARIANTS["shapes"], noise=0.0)
    images, labels = shapes.images_and_labels(clear, 1000, 0)
    ground = np.median(images.reshape(len(images), 3, -1), axis=2)[:, :, None, None]
    covered = (np.abs(images - ground).sum(axis=1) > 30).mean(axis=(1, 2))
    area = [covered[labels // 2 == index].mean() for index in range(5)]
    disc, triangle, square, cross, _ring = area
    assert triangle < min(disc, square)
    assert cross < square


def test_labels_tell_the_texture() -> None:
    """Along some line through the middle stripes keep their shade; checks change it along every line."""
    clear = replace(shapes.VARIANTS["shapes"], noise=0.0, smallest=40.0, largest=40.0)  # all texture
    images, labels = shapes.images_and_labels(clear, 1000, 0)
    grey = images.astype(np.float64).mean(axis=1)[labels // 2 == 0]
    centred = grey - grey.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centred)) ** 2
    # Stripes have one direction, hence one pair of strong frequencies; checks have two.
    top = np.sort(power.reshape(len(power), -1), axis=1)[:, ::-1]
    share = top[:, :2].sum(axis=1) / top.sum(axis=1)
    textures = labels[labels // 2 == 0] % 2
    assert np.median(share[textures == 0]) > 1.3 * np.median(share[textures == 1])


def test_the_variants_have_names_of_their_own() -> None:
    names = {kind: sources.resolve(kind).name for kind in shapes.VARIANTS}
    assert len(set(names.values())) == len(names)
    assert all(sources.resolve(kind).kind == kind for kind in names)
    assert "cluttered" in sources.resolve("shapes-cluttered").description
