"""From what people type after --data to images. No torch here before images are read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.data import cifar, image_folder, parquet, shapes
from explorer.data.decoded import decoded
from explorer.data.source import Pixels, Source
from explorer.errors import ExplorerError, RequestError
from explorer.home import home
from explorer.language import later, told, tr

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet

__all__ = ["Source", "load", "resolve", "usual"]

_USUAL = "EXPLORER_DATA"
_FETCH = "python -m explorer data fetch"
_LAYOUTS = later(
    "a folder that holds cifar-10-batches-py, Parquet files (train-*.parquet and test-*.parquet) "
    "or images (train/<class>/* and test/<class>/*)"
)

# In this order, as a folder of batches may lie in one that has train/ and test/ too.
_FOLDERS = {"cifar": cifar, "parquet": parquet, "folder": image_folder}


def usual() -> str:
    """The images where none are asked for: those that EXPLORER_DATA names, else auto."""
    return os.environ.get(_USUAL) or "auto"


def resolve(data: str) -> Source:
    """The source that `data` means: auto, cifar10, shapes, shapes-cluttered, or a path.

    Nothing is decoded or downloaded, and an unchanged source is told in milliseconds. `auto` is CIFAR-10 if it is in
    the home or in ./data, else the generated shapes. Raises RequestError, one line, for what cannot be used.
    """
    if data == "auto":
        batches = _cifar10()
        return cifar.source(batches) if batches and not cifar.missing(batches) else shapes.source("shapes")
    if data == "cifar10":
        if batches := _cifar10():
            return cifar.source(batches)
        raise RequestError(
            tr(
                "CIFAR-10 is neither in {folder} nor in ./data: run {command}, or use --data shapes",
                folder=_home_data(),
                command=_FETCH,
            )  # fmt: skip
        )
    if data in shapes.VARIANTS:
        return shapes.source(data)
    return _in_folder(data)


def _unheard(_share: float) -> None:
    pass


def load(data: str, note: Callable[[float], None] = _unheard) -> "ImageSet":
    """The images of `resolve(data)`, decoded once and then mapped from the home's copy.

    While they are decoded, `note` hears the share that is done; what it raises ends the work, and nothing is kept.
    Raises RequestError for a source that cannot be used or an image that cannot be read.
    """
    import torch

    from explorer.data.image_set import ImageSet

    source = resolve(data)
    pixels = decoded(source.name, _decoder(source, note))
    return ImageSet(
        name=source.name,
        description=source.description,
        classes=pixels.classes,
        train_images=torch.from_numpy(pixels.train_images),
        train_labels=torch.from_numpy(pixels.train_labels),
        test_images=torch.from_numpy(pixels.test_images),
        test_labels=torch.from_numpy(pixels.test_labels),
    )


def _decoder(source: Source, note: Callable[[float], None]) -> Callable[[], Pixels]:
    path = source.path
    if path is None:
        return lambda: shapes.pixels(source.kind)
    return lambda: _FOLDERS[source.kind].pixels(path, note)


def _in_folder(data: str) -> Source:
    try:
        folder = Path(data).expanduser().resolve()
        is_folder, exists = folder.is_dir(), folder.exists()
    except (OSError, RuntimeError, ValueError):
        is_folder = exists = False
    if not is_folder:
        values = {"data": data, "layouts": told(_LAYOUTS)}
        if exists:
            raise RequestError(tr("{data!r} is a file: write auto, cifar10, shapes or the path of {layouts}", **values))
        raise RequestError(
            tr("{data!r} is no data set: write auto, cifar10, shapes or the path of {layouts}", **values)
        )
    for kind in _FOLDERS.values():
        if found := kind.find(folder):
            source: Source = kind.source(found)
            return source
    raise RequestError(
        tr("there are no images in {folder}: needed is {layouts}", folder=folder, layouts=told(_LAYOUTS))
    )


def _cifar10() -> Path | None:
    """The folder of batches in the home or in ./data; a complete one if there is."""
    folders = [found for place in (_home_data(), Path("data").resolve()) if place and (found := cifar.find(place))]
    return min(folders, key=lambda folder: len(cifar.missing(folder)), default=None)


def _home_data() -> Path | None:
    try:
        return home() / "data"
    except ExplorerError:
        return None  # images can be read without a home
