"""Writes tiny data sets in every layout."""

import io
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image


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
