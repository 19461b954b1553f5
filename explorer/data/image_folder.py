"""A folder of image files: train/<class>/* and test/<class>/*. No torch here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.data.fingerprint import Facts, facts, fingerprint
from explorer.data.images import decoded, side_and_format
from explorer.data.source import FOLDER, OWN_LICENCE, Pixels, Source
from explorer.errors import RequestError
from explorer.language import tr

SPLITS = ("train", "test")
SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))


def find(folder: Path) -> Path | None:
    """`folder` if it has a folder for one of the splits."""
    return folder if any((folder / split).is_dir() for split in SPLITS) else None


def source(folder: Path) -> Source:
    """Describe an image folder; RequestError if a split is missing or has no images."""
    known = _facts(folder)
    description = FOLDER.format(
        train=f"{known['train']:,}", test=f"{known['test']:,}", size=f"{known['side']}×{known['side']}",
        classes=len(known["classes"]),
    )  # fmt: skip
    return Source("folder", folder, f"images@{known['fingerprint'][:12]}", description, OWN_LICENCE)


def pixels(folder: Path, note: Callable[[float], None]) -> Pixels:
    """Decode all images; those that are not all of one small square size become 32×32.

    `note` hears the share that is done.
    """
    known = _facts(folder)
    classes, side = tuple(known["classes"]), known["side"]
    before, whole = known["train"], known["train"] + known["test"]
    train = _decoded(folder, "train", classes, side, lambda done: note(done / whole))
    test = _decoded(folder, "test", classes, side, lambda done: note((before + done) / whole))
    return Pixels(classes, *train, *test)


def _facts(folder: Path) -> Facts:
    files = {split: _files(folder, split) for split in SPLITS}
    for split in SPLITS:
        if not files[split]:
            raise RequestError(
                tr(
                    "{folder} holds no images: put them into {split}/<class>/, one folder a class",
                    folder=folder / split,
                    split=split,
                )  # fmt: skip
            )
    classes = sorted({file.parent.name for file in files["train"]})
    if unknown := sorted({file.parent.name for file in files["test"]} - set(classes)):
        raise RequestError(tr("{folder}: test/{name} has no train/{name} beside it", folder=folder, name=unknown[0]))
    if len(classes) < 2:
        raise RequestError(
            tr(
                "{folder} has one class only ({name}): two or more are needed",
                folder=folder / "train",
                name=classes[0],
            )  # fmt: skip
        )
    every = [file for split in SPLITS for file in files[split]]
    counts = {split: len(files[split]) for split in SPLITS}
    return facts(every, "folder 1", lambda: {**counts, "classes": classes, **_discovered(folder, every)})


def _discovered(folder: Path, files: list[Path]) -> Facts:
    # Names of files and classes decide order and labels, so that they belong to the content.
    named = ((file.relative_to(folder).as_posix(), file) for file in files)
    return {"fingerprint": fingerprint(named), "side": side_and_format(files[0])[0]}


def _files(folder: Path, split: str) -> list[Path]:
    """Sorted by class and name, so that their order is the same on every machine."""
    found = (file for file in (folder / split).glob("*/*") if file.suffix.lower() in SUFFIXES)
    shown = (file for file in found if not file.name.startswith(".") and not file.parent.name.startswith("."))
    return sorted(shown, key=lambda file: (file.parent.name, file.name))


def _decoded(
    folder: Path, split: str, classes: tuple[str, ...], side: int, note: Callable[[int], None]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    files = _files(folder, split)
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[file.parent.name] for file in files], dtype=np.int64)
    return decoded(((str(file), file) for file in files), len(files), side, note), labels
