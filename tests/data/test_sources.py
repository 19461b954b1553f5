import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.data import cifar, sources
from explorer.errors import RequestError
from tests.data.layouts import encoded, random_images, write_batches, write_parquet


def write_folder(folder: Path, side: int = 32) -> dict[str, list[np.ndarray]]:
    """Two classes; four training and two test images of noise."""
    images = random_images(6, side)
    written: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    for index, (split, name) in enumerate(
        [*[("train", "cat"), ("train", "dog")] * 2, ("test", "cat"), ("test", "dog")]
    ):
        (folder / split / name).mkdir(parents=True, exist_ok=True)
        (folder / split / name / f"{index}.png").write_bytes(encoded(images[index]))
        written[split].append(images[index])
    return written


def test_resolving_needs_no_torch_and_the_module_is_light() -> None:
    program = (
        "import sys; from explorer.data import sources; source = sources.resolve('auto');"
        "print(source.kind, *sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    kind, *modules = told.stdout.split()
    assert kind == "shapes"
    assert not {"torch", "pyarrow", "torchvision"} & set(modules)


def test_auto_prefers_photographs_and_else_says_that_it_has_shapes(own_home: Path, tmp_path: Path) -> None:
    source = sources.resolve("auto")
    assert (source.kind, source.path) == ("shapes", None)
    assert "not photographs" in source.description
    assert "tuned until shallow networks learn them" in source.description
    with pytest.raises(RequestError, match="python -m explorer data fetch"):
        sources.resolve("cifar10")
    write_batches(Path("data/cifar-10-batches-py"))  # below the working directory
    here = sources.resolve("auto")
    assert here.kind == "cifar"
    assert sources.resolve("cifar10") == here
    shutil.rmtree("data")
    write_batches(own_home / "data" / "cifar-10-batches-py")
    assert sources.resolve("auto").path == (own_home / "data" / "cifar-10-batches-py")


def test_an_incomplete_cifar10_is_passed_over_by_auto_and_refused_by_name(own_home: Path) -> None:
    folder = own_home / "data" / "cifar-10-batches-py"
    write_batches(folder)
    (folder / "data_batch_3").unlink()
    assert sources.resolve("auto").kind == "shapes"
    with pytest.raises(RequestError, match="data_batch_3 missing"):
        sources.resolve("cifar10")


def test_the_same_content_has_the_same_name_wherever_it_lies_and_other_content_another(tmp_path: Path) -> None:
    write_batches(tmp_path / "a" / "cifar-10-batches-py")
    write_batches(tmp_path / "b" / "cifar-10-batches-py")
    write_batches(tmp_path / "c" / "cifar-10-batches-py", seed=1)
    a, b, c = (sources.resolve(str(tmp_path / name)) for name in "abc")
    assert sources.resolve(str(tmp_path / "a" / "cifar-10-batches-py")) == a
    assert a.name == b.name != c.name
    assert str(tmp_path) not in a.name + a.description
    slug, _, fingerprint = a.name.partition("@")
    assert len(fingerprint) == 12
    assert slug == "cifar10-other"  # these are not the published bytes


def test_published_batches_are_told_by_their_md5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    folder = tmp_path / "cifar-10-batches-py"
    write_batches(folder)
    sums = {file: hashlib.md5((folder / file).read_bytes()).hexdigest() for file in cifar.PUBLISHED}
    monkeypatch.setattr(cifar, "PUBLISHED", sums)
    source = sources.resolve(str(tmp_path))
    assert source.name.startswith("cifar10@")
    assert "as published" in source.description


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    written = write_folder(tmp_path / "set")
    before = sources.resolve(str(tmp_path / "set"))
    assert sources.resolve(str(tmp_path / "set")) == before
    (tmp_path / "set/train/cat/0.png").write_bytes(encoded(255 - written["train"][0]))
    assert sources.resolve(str(tmp_path / "set")).name != before.name


def test_warm_resolving_reads_no_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_batches(tmp_path / "cifar-10-batches-py")
    before = sources.resolve(str(tmp_path))
    monkeypatch.setattr(cifar, "fingerprint", lambda files: pytest.fail("hashed again"))
    assert sources.resolve(str(tmp_path)) == before


def test_batches_are_read_in_order(tmp_path: Path) -> None:
    images, labels = write_batches(tmp_path / "cifar-10-batches-py", rows=3)
    loaded = sources.load(str(tmp_path))
    assert loaded.classes[3] == "cat"
    assert np.array_equal(loaded.train_images, images[:15])
    assert np.array_equal(loaded.test_images, images[15:])
    assert loaded.train_labels.tolist() + loaded.test_labels.tolist() == labels
    assert loaded.train_labels.dtype.is_signed


class Evil:
    """Unpickling it naively would write a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pwned",)


@pytest.mark.threat("A file of weights runs code")
@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({b"data": Evil(), b"labels": [0]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.float32), b"labels": [0, 1]}),
        pickle.dumps([1, 2]),
        b"",
        b"not a pickle",
    ],
)
def test_a_bad_batch_is_refused_in_one_line_and_runs_no_code(tmp_path: Path, content: bytes) -> None:
    write_batches(tmp_path / "cifar-10-batches-py")
    (tmp_path / "cifar-10-batches-py" / "data_batch_2").write_bytes(content)
    with pytest.raises(RequestError, match="data_batch_2 is not a batch of CIFAR-10") as caught:
        sources.load(str(tmp_path))
    assert "\n" not in str(caught.value)
    assert not Path("pwned").exists()


@pytest.mark.parametrize("column", ["img", "image"])
def test_parquet_png_is_read_bit_by_bit(tmp_path: Path, column: str) -> None:
    images = random_images(7)
    files = [encoded(image) for image in images]
    write_parquet(tmp_path, {"train": files[:5], "test": files[5:]}, {"train": [0, 1, 2, 1, 0], "test": [2, 0]}, column)
    source, loaded = sources.resolve(str(tmp_path)), sources.load(str(tmp_path))
    assert source.kind == "parquet"
    assert source.name.startswith("images@")
    assert loaded.name == source.name
    assert loaded.classes == ("0", "1", "2")
    assert np.array_equal(loaded.train_images, images[:5])
    assert np.array_equal(loaded.test_images, images[5:])
    assert loaded.train_labels.tolist() == [0, 1, 2, 1, 0]


def test_parquet_takes_class_names_grey_images_and_other_sizes(tmp_path: Path) -> None:
    metadata = {b"huggingface": json.dumps({"info": {"features": {"label": {"names": ["up", "down"]}}}}).encode()}
    flat = np.broadcast_to(np.array([10, 20, 30], np.uint8)[:, None, None], (3, 90, 60))
    grey = Image.new("L", (28, 28), 77)
    grey.save(tmp_path / "grey.png")
    files = [encoded(flat), (tmp_path / "grey.png").read_bytes()]
    write_parquet(
        tmp_path / "data", {"train": files, "test": files}, {"train": [0, 1], "test": [1, 0]}, "image", metadata
    )
    loaded = sources.load(str(tmp_path))
    assert loaded.classes == ("up", "down")
    assert loaded.train_images.shape == (2, 3, 32, 32)
    assert np.array_equal(loaded.train_images[0], flat[:, :32, :32])
    assert (loaded.train_images[1] == 77).all()


@pytest.mark.parametrize(
    ("kind", "slug", "words"), [("JPEG", "cifar10-jpeg", "do not compare"), ("PNG", "cifar10", "PNG")]
)
def test_cifar10_in_parquet_is_recognised_by_counts_and_told_as_what_it_is(
    tmp_path: Path, kind: str, slug: str, words: str
) -> None:
    file = encoded(random_images(1)[0], kind)
    labels = {"train": [index % 10 for index in range(50_000)], "test": [index % 10 for index in range(10_000)]}
    write_parquet(tmp_path, {split: [file] * len(labels[split]) for split in labels}, labels)
    source = sources.resolve(str(tmp_path))
    assert source.name.startswith(f"{slug}@")
    assert words in source.description
    assert ("JPEG" in source.description) == (kind == "JPEG")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("test", "no test-"),
        ("column", "needed are img or image"),
        ("bytes", "row 1 of train-"),
        ("file", "readable Parquet"),
    ],
)
def test_a_bad_parquet_set_is_refused_in_one_line(tmp_path: Path, damage: str, words: str) -> None:
    files = [encoded(image) for image in random_images(3)]
    if damage == "bytes":
        files[1] = files[1][:300]
    column = "picture" if damage == "column" else "img"
    write_parquet(tmp_path, {"train": files, "test": files[:1]}, {"train": [0, 1, 1], "test": [0]}, column)
    if damage == "test":
        (tmp_path / "test-00000-of-00001.parquet").unlink()
    if damage == "file":
        (tmp_path / "test-00000-of-00001.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(RequestError, match=words) as caught:
        sources.load(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_image_folder_is_read_by_class_and_name(tmp_path: Path) -> None:
    written = write_folder(tmp_path)
    (tmp_path / "train/cat/.DS_Store").write_text("no image")
    (tmp_path / "train/cat/notes.txt").write_text("no image")
    loaded = sources.load(str(tmp_path))
    assert loaded.classes == ("cat", "dog")
    assert loaded.train_labels.tolist() == [0, 0, 1, 1]
    cats_then_dogs = [written["train"][index] for index in (0, 2, 1, 3)]
    assert np.array_equal(loaded.train_images, np.stack(cats_then_dogs))
    assert loaded.test_labels.tolist() == [0, 1]
    assert np.array_equal(loaded.test_images, np.stack(written["test"]))


@pytest.mark.parametrize(("side", "expected"), [(32, 32), (48, 48), (64, 64), (65, 32), (100, 32), (20, 32)])
def test_small_squares_keep_their_size_and_others_become_32(tmp_path: Path, side: int, expected: int) -> None:
    write_folder(tmp_path, side)
    assert sources.load(str(tmp_path)).train_images.shape == (4, 3, expected, expected)


def test_a_bad_image_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "test" / "emu").mkdir()
    (tmp_path / "test" / "emu" / "a.png").write_bytes(encoded(random_images(1)[0]))
    with pytest.raises(RequestError, match="test/emu has no train/emu"):
        sources.resolve(str(tmp_path))
    shutil.rmtree(tmp_path / "test")
    with pytest.raises(RequestError, match="holds no images"):
        sources.resolve(str(tmp_path))


def test_a_broken_image_in_a_folder_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "train/dog/1.png").write_bytes(b"no image")
    with pytest.raises(RequestError, match=r"dog/1\.png"):
        sources.load(str(tmp_path))


@pytest.mark.parametrize("data", ["imagenet", "", "no/such/folder", "a\0b", __file__, "~nobody-here/x"])
def test_what_is_no_data_set_is_refused_in_one_line(data: str) -> None:
    with pytest.raises(RequestError) as caught:
        sources.resolve(data)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_refused_with_the_layouts(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="cifar-10-batches-py"):
        sources.resolve(str(tmp_path / "empty"))


@pytest.mark.real_data
def test_real_cifar10_is_whole_and_balanced(real_cifar10: Path) -> None:
    source = sources.resolve(str(real_cifar10))
    loaded = sources.load(str(real_cifar10))
    assert source.name.startswith(("cifar10-jpeg@", "cifar10@"))
    assert loaded.train_images.shape == (50_000, 3, 32, 32)
    assert loaded.test_images.shape == (10_000, 3, 32, 32)
    assert loaded.train_labels.bincount().tolist() == [5000] * 10
    assert loaded.test_labels.bincount().tolist() == [1000] * 10
    assert loaded.classes == ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    # The known means of CIFAR-10's channels; JPEG hardly moves them, nor do 10,000 of the images.
    means = loaded.train_images[:10_000].float().mean(dim=(0, 2, 3)) / 255
    assert np.allclose(means, [0.4914, 0.4822, 0.4465], atol=0.005)


@pytest.mark.parametrize("layout", ["parquet", "folder", "batches"])
def test_the_share_that_is_decoded_is_told_and_who_hears_it_can_end_the_work(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.setattr("explorer.data.images._NOTED", 1)
    files = [encoded(image) for image in random_images(6)]
    if layout == "parquet":
        write_parquet(tmp_path, {"train": files[:4], "test": files[4:]}, {"train": [0, 1, 0, 1], "test": [0, 1]})
    elif layout == "folder":
        for index, file in enumerate(files):
            place = tmp_path / ("train" if index < 4 else "test") / "ab"[index % 2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{index}.png").write_bytes(file)
    else:
        write_batches(tmp_path / "cifar-10-batches-py")

    def impatient(share: float) -> None:
        if share >= 0.5:
            raise EOFError

    with pytest.raises(EOFError):
        sources.load(str(tmp_path), impatient)
    assert not list((own_home / "data" / "decoded").glob("[!.]*"))
    shares: list[float] = []
    sources.load(str(tmp_path), shares.append)
    assert shares == pytest.approx([done / 6 for done in range(6)])
