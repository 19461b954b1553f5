"""The panel of attributions: one image, two networks, a gallery to choose the image from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.attribution.methods import METHODS
from explorer.errors import RequestError
from explorer.network_config import short_names
from explorer.plots import theme
from explorer.plots.attributions import Column, Row, alternative_text, side_by_side
from explorer.records import Attribution
from explorer.runs import Run
from explorer.ui import controls, frame, resources, sitemap
from explorer.ui.live_plot import live_plot
from explorer.ui.runs import latest_race, shared

if TYPE_CHECKING:
    from explorer.data.image_set import ImageSet

_GALLERY_IMAGES = 1000  # of the test set: classifying them takes about a second a network
_SHOWN, _THUMBNAIL = 12, 78  # images a page; pixels
_UPLOAD_SIZE = 32  # of an uploaded picture, as CIFAR-10's
_WIDTHS = 640, 360  # of the figure in pixels, on a desk and on a phone
_ORIGINS = {"gallery": "Test set", "upload": "My own"}
_PICTURES = ["png", "jpg", "jpeg", "webp", "gif", "bmp"]
_BY_IDENTITY: dict[str | type[Any], Callable[[Any], Any]] = {Run: lambda run: run.run}
_DEFAULT_METHODS = ("saliency", "integrated_gradients", "grad_cam", "occlusion")
_FILTERS = {
    "disagree": "They disagree",
    "first": "Only the first is right",
    "second": "Only the second is right",
    "both": "Both right",
    "neither": "Both wrong",
}


@dataclass(frozen=True)
class _Chosen:
    """The image to explain, at its own size, and its label where it has one."""

    pixels: NDArray[np.uint8]
    label: int | None


def panel() -> None:
    """Networks above, gallery left, maps right."""
    catalogue = resources.catalogue()
    choices = [run for run in catalogue.runs() if catalogue.has_weights(run.run)]
    if not choices:
        st.info("No network has been trained yet.", icon=":material/info:")
        sitemap.link("degradation", "Train some: Degradation")
        return
    first, second = _networks(choices)
    rail, maps = st.columns([2, 5], gap="medium")
    chosen = None
    with rail, frame.errors_in_place():
        chosen = _image(first, second)
    with maps:
        if chosen is not None:
            _maps(chosen, [first, second])


def _networks(choices: Sequence[Run]) -> tuple[Run, Run]:
    plain, residual = _deepest(choices, "plain"), _deepest(choices, "resnet")
    left, right = st.columns(2)
    with left:
        first = controls.one_run("First network", choices, plain, key="attributions-first")
    with right:
        second = controls.one_run("Second network", choices, residual, key="attributions-second")
    return first, second


def _deepest(choices: Sequence[Run], family: str) -> Run:
    """The deepest network of a family in the newest race whose images are at hand."""
    race = latest_race([run for run in choices if resources.has_images(run)] or choices)
    found = [run for run in race if run.config.network.family == family] or race
    return max(found, key=lambda run: run.config.network.depth)


def _image(first: Run, second: Run) -> _Chosen | None:
    """An image of the gallery, or a picture of one's own."""
    own = controls.pick("Image", ["gallery", "upload"], "gallery", "attributions-origin", _ORIGINS.__getitem__)
    if own == "gallery":
        return _gallery(resources.images_of(first), first, second)
    upload = st.file_uploader("A picture", type=_PICTURES, key="attributions-upload", help="Cropped to its middle.")
    if upload is None:
        return None
    from explorer.data.picture import read_picture

    pixels = read_picture(upload.getvalue(), _UPLOAD_SIZE, upload.name)
    st.image(pixels.transpose(1, 2, 0).repeat(5, axis=0).repeat(5, axis=1), alt="the picture as it was cropped")
    return _Chosen(pixels, None)


def _gallery(images: "ImageSet", first: Run, second: Run) -> _Chosen | None:
    labels = images.test_labels[:_GALLERY_IMAGES].numpy()
    predictions = [_classified(run, images.name, images) for run in (first, second)]
    wanted = st.selectbox("Show", list(_FILTERS), format_func=_FILTERS.__getitem__, key="attributions-filter")
    found = np.flatnonzero(_matches(wanted, predictions, labels))
    if not len(found):
        st.info(f"No such image among the first {len(labels):,} of the test set.", icon=":material/info:")
        return None
    pages = -(-len(found) // _SHOWN)
    page = st.number_input(f"Page of {pages} · {len(found):,} images", 1, pages, 1, key="attributions-page")
    shown = [int(index) for index in found[(int(page) - 1) * _SHOWN : int(page) * _SHOWN]]
    key = f"attributions-{wanted}-image"
    picked = st.session_state.get(key, shown[0])
    picked = picked if picked in shown else shown[0]
    with st.container(horizontal=True, gap="small"):
        for index in shown:
            with st.container(width=_THUMBNAIL, gap=None):
                _thumbnail(images, index, key, index == picked)
    return _Chosen(images.test_images[picked].numpy(), int(labels[picked]))


def _thumbnail(images: "ImageSet", index: int, key: str, picked: bool) -> None:
    """One image of the gallery, and the button that chooses it."""
    pixels = images.test_images[index].numpy().transpose(1, 2, 0)
    name = images.classes[int(images.test_labels[index])]
    st.image(pixels.repeat(3, axis=0).repeat(3, axis=1), width="stretch", alt=f"test image {index}: {name}")
    kind: Literal["primary", "tertiary"] = "primary" if picked else "tertiary"
    if st.button(name, key=f"{key}-{index}", type=kind, help=f"Explain test image {index}", width="stretch"):
        st.session_state[key] = index
        st.rerun()


def _matches(wanted: str, predictions: Sequence[NDArray[np.int64]], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    first, second = (predicted == labels for predicted in predictions)
    found: NDArray[np.bool_] = {
        "disagree": predictions[0] != predictions[1],
        "first": first & ~second,
        "second": second & ~first,
        "both": first & second,
        "neither": ~first & ~second,
    }[wanted]
    return found


@st.cache_data(max_entries=16, show_spinner="The networks look at the test images …", hash_funcs=_BY_IDENTITY)
def _classified(run: Run, name: str, _images: "ImageSet") -> NDArray[np.int64]:
    """The class that a run's network finds most probable for each image of the gallery."""
    from explorer.data.augmentation import prepare
    from explorer.evaluation import logits

    trained = resources.trained(run)
    pixels = prepare(_images.test_images[:_GALLERY_IMAGES], run.config.training.image_size)
    found: NDArray[np.int64] = logits(trained.network, pixels, trained.normalization).argmax(dim=1).numpy()
    return found


def _maps(chosen: _Chosen, runs: Sequence[Run]) -> None:
    classes = _classes(runs[0])
    target, methods = _question(chosen, classes)
    if not methods:
        st.info("Choose at least one method.", icon=":material/info:")
        return
    with frame.errors_in_place():
        names = short_names(run.config.network for run in runs)
        columns = [_column(run, chosen, target, methods, classes, names[run.config.network]) for run in runs]
        rows = [Row(method, METHODS[method].label, METHODS[method].explanation) for method in methods]
        image = _as_seen(chosen.pixels, runs[0].config.training.image_size)
        truth = f"It is: **{classes[chosen.label]}**. " if chosen.label is not None else ""
        said = ", ".join(f"{column.label} says **{column.predicted}**" for column in columns)
        basis = f"One colour scale a row, shared by both networks; white is zero. {shared(runs)}".rstrip()
        frame.finding([f"{truth}{said}."], basis)
        wide, narrow = (side_by_side(image, columns, rows, classes, width=width) for width in _WIDTHS)
        alt = alternative_text(columns, rows, classes)
        live_plot(wide, key="attributions-maps", height=wide.layout.height, alt=alt, narrow=theme.rearranged(narrow))


def _question(chosen: _Chosen, classes: Sequence[str]) -> tuple[int | None, list[str]]:
    """The class to explain (None: what each network predicts), and the methods."""
    target, methods = st.columns([1, 2])
    options: list[int | None] = [None, *range(len(classes))]

    def shown(index: int | None) -> str:
        if index is None:
            return "what each predicts"
        return classes[index] + (" (true)" if index == chosen.label else "")

    wanted = target.selectbox("Explain the score of", options, format_func=shown, key="attributions-target")
    names = methods.multiselect(
        "Methods",
        list(METHODS),
        default=list(_DEFAULT_METHODS),
        format_func=lambda name: METHODS[name].label,
        key="attributions-methods",
    )
    return wanted, names


def _column(
    run: Run, chosen: _Chosen, target: int | None, methods: Sequence[str], classes: Sequence[str], name: str
) -> Column:
    pixels = _as_seen(chosen.pixels, run.config.training.image_size)
    probabilities = _probabilities(run, pixels)
    predicted = int(probabilities.argmax())
    maps = [_explained(run, pixels, predicted if target is None else target, method) for method in methods]
    right = None if chosen.label is None else predicted == chosen.label
    return Column(run.config.network, name, classes[predicted], float(probabilities[predicted]), maps, right)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_BY_IDENTITY)
def _probabilities(run: Run, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    import torch

    from explorer.evaluation import logits

    trained = resources.trained(run)
    outputs = logits(trained.network, torch.from_numpy(pixels)[None], trained.normalization)
    found: NDArray[np.float32] = outputs.softmax(dim=1)[0].numpy()
    return found


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=_BY_IDENTITY)
def _explained(run: Run, pixels: NDArray[np.uint8], target: int, method: str) -> Attribution:
    import torch

    from explorer.attribution.explain import attribute

    trained = resources.trained(run)
    return attribute(trained.network, trained.normalization(torch.from_numpy(pixels)[None])[0], target, method)


def _as_seen(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The picture as a network of this image size sees it."""
    import torch

    from explorer.data.augmentation import prepare

    seen: NDArray[np.uint8] = prepare(torch.from_numpy(pixels)[None], size)[0].numpy()
    return seen


def _classes(run: Run) -> tuple[str, ...]:
    """Names of the classes; numbers where the images that name them are not here."""
    try:
        return resources.images_of(run).classes
    except RequestError:
        return tuple(map(str, range(run.config.network.classes)))
