from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.data.decoded import decoded
from explorer.data.source import Pixels
from tests.data.layouts import random_images


def pixels(seed: int = 0) -> Pixels:
    images, labels = random_images(6, 8, seed), np.arange(6, dtype=np.int64) % 2
    return Pixels(("a", "b"), images[:4], labels[:4], images[4:], labels[4:])


def never() -> Pixels:
    pytest.fail("decoded again")


def counted(calls: list[int]) -> Callable[[], Pixels]:
    def decode() -> Pixels:
        calls.append(1)
        return pixels()

    return decode


def same(one: Pixels, other: Pixels) -> bool:
    arrays = ("train_images", "train_labels", "test_images", "test_labels")
    equal = all(np.array_equal(getattr(one, array), getattr(other, array)) for array in arrays)
    return equal and one.classes == other.classes


def test_the_second_time_nothing_is_decoded_and_the_arrays_are_mapped() -> None:
    assert same(decoded("set@1", pixels), pixels())
    again = decoded("set@1", never)
    assert same(again, pixels())
    assert isinstance(again.train_images, np.memmap)


def test_writing_into_the_arrays_does_not_reach_the_copy() -> None:
    decoded("set@1", pixels).train_images[:] = 0
    assert same(decoded("set@1", never), pixels())


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "summary", "summary gone"])
def test_a_damaged_copy_is_made_anew(own_home: Path, damage: str) -> None:
    decoded("set@1", pixels)
    folder = own_home / "data" / "decoded" / "set@1"
    file = folder / "train_images.npy"
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
        file.write_bytes(content)
    elif damage == "cut":
        file.write_bytes(content[:-10])
    elif damage == "remove":
        file.unlink()
    elif damage == "summary":
        (folder / "summary.json").write_text('{"classes": ["a"')
    else:
        (folder / "summary.json").unlink()
    calls: list[int] = []
    assert same(decoded("set@1", counted(calls)), pixels())
    assert calls == [1]
    assert same(decoded("set@1", never), pixels())
    assert sorted(path.name for path in folder.parent.iterdir()) == [".set@1.lock", "set@1"]


def test_what_a_killed_process_left_is_swept_away(own_home: Path) -> None:
    partial = own_home / "data" / "decoded" / ".set@1.part"
    partial.mkdir(parents=True)
    (partial / "train_images.npy").write_text("half")
    assert same(decoded("set@1", pixels), pixels())
    assert not partial.exists()
    assert same(decoded("set@1", never), pixels())


@pytest.mark.parametrize("place", ["home", "decoded"])
def test_where_nothing_can_be_written_images_come_all_the_same(own_home: Path, place: str) -> None:
    if place == "home":
        own_home.write_text("a file in the way")
    else:
        (own_home / "data").mkdir(parents=True)
        (own_home / "data" / "decoded").write_text("a file in the way")
    assert same(decoded("set@1", pixels), pixels())
    assert same(decoded("set@1", pixels), pixels())


def test_a_full_disk_while_writing_is_no_harm(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert same(decoded("set@1", pixels), pixels())
    assert [path.name for path in (own_home / "data" / "decoded").iterdir()] == [".set@1.lock"]
