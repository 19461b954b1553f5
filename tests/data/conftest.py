"""Tiny data sets on disk in every layout, and a home of its own for each test."""

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """EXPLORER_HOME and the working directory, both empty."""
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("EXPLORER_HOME", str(home))
    monkeypatch.chdir(here)
    return home


@pytest.fixture
def real_cifar10() -> Path:
    """The folder of real images; skips where there is none."""
    folder = Path(os.environ.get("EXPLORER_TEST_DATA", ROOT.parent / "shared" / "data" / "cifar10"))
    if not any(folder.glob("train-*.parquet")):
        pytest.skip("no real CIFAR-10 here")
    return folder


def random_images(count: int, side: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """(N, 3, side, side)."""
    return np.random.default_rng(seed).integers(0, 256, (count, 3, side, side), dtype=np.uint8)


def encoded(image: NDArray[np.uint8], kind: str = "PNG", **options: object) -> bytes:
    """One (3, H, W) image as a file."""
    stream = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(stream, kind, **options)
    return stream.getvalue()


def write_batches(folder: Path, rows: int = 4, seed: int = 0) -> tuple[NDArray[np.uint8], list[int]]:
    """The layout of CIFAR-10; returns all images and labels in order, the test batch last."""
    folder.mkdir(parents=True)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    images = random_images(rows * len(names), seed=seed)
    labels = [index % 10 for index in range(len(images))]
    for index, name in enumerate(names):
        part = slice(index * rows, (index + 1) * rows)
        batch = {b"data": images[part].reshape(rows, 3072), b"labels": labels[part]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return images, labels


def write_parquet(
    folder: Path,
    images: dict[str, list[bytes]],
    labels: dict[str, list[int]],
    column: str = "img",
    metadata: dict[bytes, bytes] | None = None,
) -> None:
    """The layout of Hugging Face."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, files in images.items():
        column_values = [{"bytes": file, "path": None} for file in files]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        table = pa.table({column: pa.array(column_values, kind), "label": pa.array(labels[split], pa.int64())})
        if metadata:
            table = table.replace_schema_metadata(metadata)
        pq.write_table(table, folder / f"{split}-00000-of-00001.parquet")


@pytest.fixture
def batches(tmp_path: Path) -> Callable[..., Path]:
    """Writes CIFAR-10's layout below a new folder and returns that folder."""

    def write(name: str = "somewhere", **options: int) -> Path:
        write_batches(tmp_path / name / "cifar-10-batches-py", **options)
        return tmp_path / name

    return write
