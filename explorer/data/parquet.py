"""Images in the Parquet files of a Hugging Face data set. No torch here, and pyarrow only while reading."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.data.fingerprint import Facts, facts, fingerprint
from explorer.data.images import decoded, side_and_format
from explorer.data.source import (
    CIFAR10_CLASSES,
    CIFAR10_JPEG,
    CIFAR10_LICENCE,
    CIFAR10_PARQUET,
    OWN_LICENCE,
    PARQUET,
    Pixels,
    Source,
)
from explorer.errors import RequestError
from explorer.language import tr

SPLITS = ("train", "test")
MOST_CLASSES = 1000
_SUBFOLDERS = ("", "data", "plain_text")  # where copies of data sets have their files
_IMAGE_COLUMNS = ("img", "image")


def find(folder: Path) -> Path | None:
    """The folder that has Parquet files of a split: `folder` or one of the usual places in it."""
    for candidate in (folder / name for name in _SUBFOLDERS):
        if any(_files(candidate, split) for split in SPLITS):
            return candidate
    return None


def source(folder: Path) -> Source:
    """Describe Parquet files; RequestError if a split or a column is missing."""
    known = _facts(folder)
    slug, description, licence = _told(known)
    return Source("parquet", folder, f"{slug}@{known['fingerprint'][:12]}", description, licence)


def pixels(folder: Path, note: Callable[[float], None]) -> Pixels:
    """Decode all images; RequestError names the first that cannot be read. `note` hears the share that is done."""
    known = _facts(folder)
    before, whole = known["train"], known["train"] + known["test"]
    train = _decoded(folder, "train", known["side"], lambda done: note(done / whole))
    test = _decoded(folder, "test", known["side"], lambda done: note((before + done) / whole))
    return Pixels(tuple(known["classes"]), *train, *test)


def _files(folder: Path, split: str) -> list[Path]:
    return sorted(folder.glob(f"{split}-*.parquet"))


def _facts(folder: Path) -> Facts:
    files = [(split, file) for split in SPLITS for file in _files(folder, split)]
    if absent := [split for split in SPLITS if not _files(folder, split)]:
        raise RequestError(
            tr(
                "{folder} has no {split}-*.parquet: both train and test images are needed",
                folder=folder,
                split=absent[0],
            )  # fmt: skip
        )
    return facts((file for _, file in files), "parquet 1", lambda: _discovered(folder, files))


def _discovered(folder: Path, files: list[tuple[str, Path]]) -> Facts:
    train, test = (_labels(folder, split) for split in SPLITS)
    first = next(image for file in _files(folder, "train") for image in _images(file))
    side, image_format = side_and_format(first)
    names = _class_names(folder)
    count = max(len(names), 1 + int(max(train.max(), test.max())))
    counts = [np.bincount(labels, minlength=count).tolist() for labels in (train, test)]
    known = tuple(names) in ((), CIFAR10_CLASSES)
    cifar10 = known and side == 32 and counts == [[5000] * 10, [1000] * 10]
    return {
        "fingerprint": fingerprint(files),
        "side": side,
        "format": image_format,
        "train": len(train),
        "test": len(test),
        "cifar10": cifar10,
        "classes": CIFAR10_CLASSES if cifar10 else [*names, *map(str, range(len(names), count))],
    }


def _told(known: Facts) -> tuple[str, str, str]:
    """Slug, description and licence."""
    counts = {"train": f"{known['train']:,}", "test": f"{known['test']:,}"}
    if not known["cifar10"]:
        size = f"{known['side']}×{known['side']}"
        return "images", PARQUET.format(**counts, size=size, classes=len(known["classes"])), OWN_LICENCE
    if known["format"] == "JPEG":
        return "cifar10-jpeg", CIFAR10_JPEG, CIFAR10_LICENCE
    return "cifar10", CIFAR10_PARQUET.format(**counts, format=known["format"]), CIFAR10_LICENCE


def _labels(folder: Path, split: str) -> NDArray[np.int64]:
    """int64 (N,), at least one, none negative."""
    parts = []
    for file in _files(folder, split):
        with _readable(file) as parquet:
            _check_columns(file, parquet.schema_arrow)
            column = parquet.read(columns=["label"])["label"]
        if column.null_count:
            raise RequestError(tr("{file}: {count} images have no label", file=file, count=column.null_count))
        parts.append(column.to_numpy().astype(np.int64))
    labels = np.concatenate(parts)
    if not len(labels) or not 0 <= labels.min() <= labels.max() < MOST_CLASSES:
        raise RequestError(
            tr(
                "{folder}: the {split} images need labels from 0 to {most} at most",
                folder=folder,
                split=split,
                most=MOST_CLASSES - 1,
            )  # fmt: skip
        )
    return labels


def _decoded(
    folder: Path, split: str, side: int, note: Callable[[int], None]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = _labels(folder, split)
    rows = (
        (f"row {row} of {file.name}", image)
        for file in _files(folder, split)
        for row, image in enumerate(_images(file))
    )
    return decoded(rows, len(labels), side, note), labels


def _images(file: Path) -> Iterator[bytes]:
    """The encoded images in the order of the rows."""
    with _readable(file) as parquet:
        column = _image_column(parquet.schema_arrow)
        for batch in parquet.iter_batches(batch_size=2000, columns=[column]):
            for image in batch.column(0).field("bytes").to_pylist():
                yield image or b""  # nothing there is no image, and is told as such


def _check_columns(file: Path, schema: Any) -> None:
    import pyarrow.types as types

    column = _image_column(schema)
    if not column or "label" not in schema.names or not types.is_integer(schema.field("label").type):
        raise RequestError(
            tr(
                "{file} has the columns {columns}: needed are img or image (a struct with bytes) and label (whole "
                "numbers)",
                file=file,
                columns=", ".join(schema.names),
            )  # fmt: skip
        )


def _image_column(schema: Any) -> str | None:
    import pyarrow.types as types

    kinds = {name: schema.field(name).type for name in _IMAGE_COLUMNS if name in schema.names}
    fitting = (name for name, kind in kinds.items() if types.is_struct(kind) and kind.get_field_index("bytes") >= 0)
    return next(fitting, None)


def _class_names(folder: Path) -> list[str]:
    """What the data set calls its classes; none if it does not say."""
    with _readable(_files(folder, "train")[0]) as parquet:
        metadata = parquet.schema_arrow.metadata or {}
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"]["label"]["names"]
        return [str(name) for name in names]
    except (KeyError, TypeError, ValueError):
        return []


@contextmanager
def _readable(file: Path) -> Iterator[Any]:
    """An open Parquet file; RequestError if it is none, or breaks off."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            yield parquet
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise RequestError(tr("{file} is not a readable Parquet file: {reason}", file=file, reason=reason)) from None
