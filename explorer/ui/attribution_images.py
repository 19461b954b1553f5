"""Which image is explained: one of the test set, by class, outcome or confusion; a picture of one's own; a photo."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.errors import RequestError
from explorer.language import later, told, tr
from explorer.measurement.confusion import confusion
from explorer.ui import address, controls, frame, reading
from explorer.ui.attribution_maps import LOOK, Subject, looking
from explorer.ui.names import label as run_label

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet

_GALLERY_IMAGES = 1000  # of the test set: classifying them takes seconds, so it begins with a hundred
_TICK_SECONDS = 1.0
_SHOWN, _THUMBNAIL = 9, 66  # images a page; pixels
_LETTERS, _CELL_PIXELS = 4, 44  # of a column of the confusion matrix: ten fit beside each other
_MOST_UPLOADS = 20
_SMALLEST = 32  # pixels of an uploaded picture, as CIFAR-10's
_ORIGINS = {"gallery": later("Test set"), "upload": later("Mine"), "camera": later("Photo")}
_PICTURES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
_ANY = -1
_OUTCOMES = {
    "disagree": later("Disagree"),
    "first": later("Only first right"),
    "second": later("Only second right"),
    "both": later("Both right"),
    "neither": later("Both wrong"),
    "all": later("All"),
}


@dataclass(frozen=True)
class Chosen:
    """The image to explain, at its own size, and its label where it has one."""

    pixels: NDArray[np.uint8]
    """(3, S, S) RGB."""
    label: int | None
    name: str


def image(subjects: Sequence[Subject]) -> Chosen | None:
    """The controls of the left rail, and what is chosen with them."""
    origin = controls.pick(
        tr("Image"), list(_ORIGINS), "gallery", "attributions-origin", _origin,
        means=tr("**Test set:** images that no network was trained on. **Mine:** a file of yours. **Photo:** from the "
                 "camera."),
    )  # fmt: skip
    if origin == "gallery":
        return _gallery(reading.images_of(subjects[0].run, "attributions"), subjects)
    size = max(_SMALLEST, *(subject.size for subject in subjects))
    return _own(size) if origin == "upload" else _photo(size)


def _origin(name: str) -> str:
    return told(_ORIGINS[name])


def _own(size: int) -> Chosen | None:
    files = st.file_uploader(
        tr("Pictures"),
        type=_PICTURES,
        accept_multiple_files=True,
        key="attributions-upload",
        help=tr("Turned upright, cropped to the middle square and scaled to what the networks see."),
    )
    if not files:
        st.caption(tr("Pictures are looked at, not kept: after another page, choose them again."))
    if len(files) > _MOST_UPLOADS:
        st.warning(tr("The first {shown} of {count} pictures are shown.", shown=_MOST_UPLOADS, count=len(files)))
    pictures = []
    for file in files[:_MOST_UPLOADS]:
        with frame.errors_in_place():
            pictures.append(_read(file, size))
    return _pick(pictures) if pictures else None


def _photo(size: int) -> Chosen | None:
    photo = st.camera_input(tr("A photo"), key="attributions-camera")
    return _read(photo, size) if photo else None


def _read(file: Any, size: int) -> Chosen:
    content = file.getvalue()
    if not content:
        raise RequestError(tr("{file} is empty", file=file.name))
    return Chosen(_cropped(content, size, file.name), None, file.name)


@st.cache_data(max_entries=64, show_spinner=False)
def _cropped(content: bytes, size: int, name: str) -> NDArray[np.uint8]:
    """Decoded once, not at each press on the page."""
    from explorer.data.picture import read_picture

    return read_picture(content, size, name)


def _pick(pictures: Sequence[Chosen]) -> Chosen:
    """One of the uploaded pictures, as they were cropped."""
    chosen = int(st.session_state.get("attributions-picture", 0))
    chosen = chosen if chosen < len(pictures) else 0
    with st.container(horizontal=True, gap="xsmall"):
        for index, picture in enumerate(pictures):
            with st.container(width=_THUMBNAIL, gap=None):
                name = picture.name if len(picture.name) <= 9 else f"{picture.name[:8]}…"
                help = tr("Explain {picture}", picture=picture.name)
                if _thumbnail(picture.pixels, name, help, f"attributions-picture-{index}", index == chosen):
                    st.session_state["attributions-picture"] = index
                    st.rerun()
    return pictures[chosen]


def _gallery(images: "ImageSet", subjects: Sequence[Subject]) -> Chosen | None:
    predictions = _predictions(images, subjects[:2])
    labels = images.test_labels[: len(predictions[0])].numpy()
    left, right = st.columns(2)
    with address.kept("attributions-filter", next(iter(_OUTCOMES)), _OUTCOMES):
        outcome: str = left.selectbox(
            tr("Show"), list(_OUTCOMES), format_func=lambda one: told(_OUTCOMES[one]), key="attributions-filter",
            help=tr("Images by what the first two networks take them for."),
        )  # fmt: skip
    classes = [_ANY, *range(len(images.classes))]
    with address.kept("attributions-class", _ANY, classes):
        wanted: int = right.selectbox(
            tr("Class"),
            classes,
            format_func=lambda index: tr("any") if index == _ANY else images.classes[index],
            help=tr("What the image is, not what it is taken for."),
            key="attributions-class",
        )
    found = _matches(outcome, predictions, labels) & ((labels == wanted) | (wanted == _ANY))
    cell = _confusion(labels, predictions[0], images.classes, subjects[0])
    if cell:
        found = (labels == cell[0]) & (predictions[0] == cell[1])
    indices = np.flatnonzero(found)
    if not len(indices):
        none = tr("No such image among the first {count:,} of the test set.", count=len(labels))
        st.info(none, icon=":material/info:")
        return None
    picked = _page(images, indices, f"attributions-{outcome}-{wanted}-{cell}")
    return Chosen(images.test_images[picked].numpy(), int(labels[picked]), tr("test image {number}", number=picked))


def _predictions(images: "ImageSet", subjects: Sequence[Subject]) -> list[NDArray[np.int64]]:
    """What the networks take the first test images for, equally many, as far as they have looked at them."""
    with st.spinner(tr("The networks look at the test images …")):
        found = _looked(images, subjects, wait=True)
    st.fragment(_look_on, run_every=None if _all(images, found) else _TICK_SECONDS, key="attributions-looking")(
        images, subjects, _all(images, found)
    )
    return found


def _look_on(images: "ImageSet", subjects: Sequence[Subject], was_done: bool) -> None:
    """Have the networks look at further images, and show them when they have."""
    if was_done:
        return
    found = _looked(images, subjects)
    if _all(images, found):
        st.rerun()
    done, of = len(found[0]), min(_GALLERY_IMAGES, len(images.test_labels))
    st.progress(done / of, text=tr("{done:,} of {count:,} test images looked at", done=done, count=of))


def _looked(images: "ImageSet", subjects: Sequence[Subject], wait: bool = False) -> list[NDArray[np.int64]]:
    starts = range(0, min(_GALLERY_IMAGES, len(images.test_labels)), LOOK)
    asked = [[looking(subject, images, start) for start in starts] for subject in subjects]
    for subject in subjects if wait else ():
        while not looking(subject, images, 0).ended.wait(_TICK_SECONDS):
            pass  # asked for again, so that it is not forgotten while other work goes first
    ready = min(next((n for n, one in enumerate(errands) if not one.done), len(starts)) for errands in asked)
    return [np.concatenate([one.value() for one in errands[: max(1, ready)]]) for errands in asked]


def _all(images: "ImageSet", found: Sequence[NDArray[np.int64]]) -> bool:
    return len(found[0]) == min(_GALLERY_IMAGES, len(images.test_labels))


def _confusion(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: Sequence[str], subject: Subject
) -> tuple[int, int] | None:
    """The confusion matrix of the first network, and which of its cells was clicked."""
    import pandas as pd

    with st.popover(tr("Confusion matrix"), icon=":material/grid_on:", width="stretch"):
        st.caption(
            tr(
                "{run}: rows are true classes, columns what they were taken for. Click a number.",
                run=frame.plain(run_label(subject.run)),
            )
        )
        counts = confusion(labels, predicted, len(classes))
        table = pd.DataFrame(counts, index=list(classes), columns=list(classes))
        shaded = table.style.apply(lambda _: pd.DataFrame(_shades(counts), table.index, table.columns), axis=None)
        config = {name: st.column_config.NumberColumn(_short(name), help=name, width=_CELL_PIXELS) for name in classes}
        event = st.dataframe(
            shaded,
            column_config=config,
            key="attributions-confusion",
            on_select="rerun",
            selection_mode="single-cell",
            height="content",
        )
        cells = event["selection"]["cells"]
        if not cells:
            return None
        row, column = cells[0]
        st.caption(tr("Shown: {true} taken for {predicted}.", true=classes[row], predicted=column))
        return int(row), list(classes).index(column)


def _short(name: str) -> str:
    """A few letters of each word."""
    words = name.split()
    return "".join(word[: max(1, _LETTERS // len(words))] for word in words)


def _shades(counts: NDArray[np.int64]) -> list[list[str]]:
    """The background of each cell: grey for what is right, the stronger the more frequent a mistake is."""
    right = np.eye(len(counts), dtype=bool)
    most = max(1, int(counts[~right].max(initial=0)))
    return [
        [
            "background-color: rgba(131, 138, 148, 0.25)"
            if row == column
            else f"background-color: rgba(213, 94, 0, {count / most * 0.5:.2f})"
            for column, count in enumerate(values)
        ]
        for row, values in enumerate(counts)
    ]


def _page(images: "ImageSet", indices: NDArray[np.int64], key: str) -> int:
    """A page of thumbnails; the test image that is chosen among them."""
    pages = -(-len(indices) // _SHOWN)
    page = int(st.session_state.get(f"{key}-page", 1))
    shown = [int(index) for index in indices[(page - 1) * _SHOWN : page * _SHOWN]]
    picked: int = st.session_state.get(f"{key}-image", shown[0])
    picked = picked if picked in shown else shown[0]
    with st.container(horizontal=True, gap="xsmall", key="attributions-thumbnails"):
        for index in shown:
            with st.container(width=_THUMBNAIL, gap=None):
                name = images.classes[int(images.test_labels[index])]
                help = tr("Explain test image {number}", number=index)
                if _thumbnail(images.test_images[index].numpy(), name, help, f"{key}-{index}", index == picked):
                    st.session_state[f"{key}-image"] = index
                    st.rerun()
    label = tr("Page of {pages} · {count:,} images", pages=pages, count=len(indices))
    st.number_input(label, 1, pages, 1, key=f"{key}-page")
    return picked


def _thumbnail(pixels: NDArray[np.uint8], name: str, help: str, key: str, picked: bool) -> bool:
    """One small image with a button below it; whether it was pressed."""
    times = max(1, 96 // pixels.shape[1])
    st.image(pixels.transpose(1, 2, 0).repeat(times, axis=0).repeat(times, axis=1), width="stretch", alt=name)
    kind: Literal["primary", "tertiary"] = "primary" if picked else "tertiary"
    return st.button(name, key=key, type=kind, help=help, width="stretch")


def _matches(outcome: str, predictions: Sequence[NDArray[np.int64]], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    first, second = (predicted == labels for predicted in predictions)
    found: NDArray[np.bool_] = {
        "disagree": predictions[0] != predictions[1],
        "first": first & ~second,
        "second": second & ~first,
        "both": first & second,
        "neither": ~first & ~second,
        "all": np.ones_like(first),
    }[outcome]
    return found
