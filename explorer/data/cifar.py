"""CIFAR-10 as its authors publish it: a folder of pickled batches. No torch here."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from explorer.data.fingerprint import Facts, digest, facts, fingerprint
from explorer.data.source import CIFAR10, CIFAR10_CLASSES, CIFAR10_LICENCE, CIFAR10_OTHER, OWN_LICENCE, Pixels, Source
from explorer.errors import RequestError
from explorer.language import later, told, tr

FOLDER = "cifar-10-batches-py"
TRAIN_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_FILE = "test_batch"

# MD5 of the files in the published archive, as torchvision checks them.
PUBLISHED = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7cb15",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}


def find(folder: Path) -> Path | None:
    """The folder of batches: `folder` itself or the one of the usual name in it; it may be incomplete."""
    for candidate in (folder / FOLDER, folder):
        if any((candidate / file).is_file() for file in PUBLISHED):
            return candidate
    return None


def missing(batches: Path) -> list[str]:
    """The files that a complete folder would have besides."""
    return [file for file in PUBLISHED if not (batches / file).is_file()]


def source(batches: Path) -> Source:
    """Describe a folder of batches; RequestError if a file is missing."""
    if absent := missing(batches):
        raise RequestError(
            tr(
                "CIFAR-10 in {folder} is incomplete ({files} missing): remove that folder and run python -m explorer "
                "data fetch",
                folder=batches,
                files=", ".join(absent),
            )  # fmt: skip
        )
    files = {file: batches / file for file in PUBLISHED}
    known = facts(files.values(), "cifar batches 1", lambda: _discovered(files))
    slug, description, licence = (
        ("cifar10", CIFAR10, CIFAR10_LICENCE) if known["published"] else ("cifar10-other", CIFAR10_OTHER, OWN_LICENCE)
    )
    return Source("cifar", batches, f"{slug}@{known['fingerprint'][:12]}", description, licence)


def pixels(batches: Path, note: Callable[[float], None]) -> Pixels:
    """Read all batches; RequestError if one is not what CIFAR-10 has there. `note` hears the share that is done."""
    parts = []
    for done, file in enumerate((*TRAIN_FILES, TEST_FILE)):
        note(done / len(PUBLISHED))
        parts.append(_batch(batches / file))
    *train, (test_images, test_labels) = parts
    return Pixels(
        CIFAR10_CLASSES,
        np.concatenate([images for images, _ in train]),
        np.concatenate([labels for _, labels in train]),
        test_images,
        test_labels,
    )


def _discovered(files: dict[str, Path]) -> Facts:
    published = all(digest(path, "md5") == PUBLISHED[file] for file, path in files.items())
    return {"fingerprint": fingerprint(files.items()), "published": published}


def _batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """uint8 (N, 3, 32, 32) and int64 (N,)."""
    try:
        with path.open("rb") as stream:
            content = _BatchUnpickler(stream).load()
        images, labels = content[b"data"], np.asarray(content[b"labels"], dtype=np.int64)
        fits = (
            isinstance(images, np.ndarray)
            and images.dtype == np.uint8
            and images.shape == (len(labels), 3072)
            and 0 <= labels.min() <= labels.max() <= 9
        )
    except OSError as error:
        raise RequestError(tr("cannot read {file}: {reason}", file=path, reason=error.strerror)) from None
    except Exception as error:  # what a broken pickle raises can be anything
        raise RequestError(told(_NO_BATCH, file=path, reason=error)) from None
    if not fits:
        raise RequestError(told(_NO_BATCH, file=path, reason=tr("its shapes or labels differ")))
    return images.reshape(-1, 3, 32, 32), labels


_NO_BATCH = later(
    "{file} is not a batch of CIFAR-10 ({reason}): remove its folder and run python -m explorer data fetch"
)


class _BatchUnpickler(pickle.Unpickler):
    """Builds arrays and plain values and nothing else: a folder that someone hands over may not run code."""

    _ALLOWED = frozenset(
        {
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("_codecs", "encode"),  # how newer protocols spell the bytes of an array
        }
    )

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream, encoding="bytes")  # written by Python 2

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
