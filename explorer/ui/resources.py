"""Everything the visitors of one server share; the only caches. torch is imported when first needed, not before."""

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st
from filelock import FileLock, Timeout

from explorer import recordings
from explorer import sweep as sweeps
from explorer.data import sources
from explorer.engines.chosen import Engines
from explorer.engines.errands import Errand, Errands, wait
from explorer.engines.studies import Studies
from explorer.errors import ExplorerError, RequestError
from explorer.home import home
from explorer.language import tr
from explorer.recordings import Catalogue, Library
from explorer.room import Rooms
from explorer.runs import Run, Store
from explorer.ui.names import label

if TYPE_CHECKING:
    from explorer.checkpoints import Trained
    from explorer.data.image_set import ImageSet

_LARGEST_CACHE = 8
_KEPT_MAPS = 512  # of 32×32 pixels: 4 kB each
_READING_SECONDS = 5.0  # for all of CIFAR-10 as PNG or JPEG
_TEND_SECONDS, _CLEAR_SECONDS = 1.0, 600.0
QUICK_IMAGES = 250  # that are looked at while one waits: less than half a second through 56 layers


@dataclass(frozen=True)
class Server:
    """The store, the engines that work its queue, and the lock that keeps other servers off both."""

    store: Store
    engine: Engines
    lock: FileLock  # released when the object goes, so it is kept as long as the server


@st.cache_resource(show_spinner=False)
def _server(folder: str) -> Server:
    store = Store(home())
    lock = FileLock(store.folder / "server.lock", timeout=0, is_singleton=True)
    try:
        lock.acquire()
    except Timeout:
        raise ExplorerError(
            tr(
                "another server is using the store in {folder}: use that one, or start this one with EXPLORER_HOME "
                "set to another folder",
                folder=folder,
            )
        ) from None
    server = Server(store, Engines(store), lock)
    threading.Thread(target=_tend, args=(weakref.ref(server),), name="tend", daemon=True).start()
    return server


def _tend(server: "weakref.ref[Server]") -> None:
    """Work the queue as long as the server is there, whoever looks; what an earlier one left in it goes on.

    Rooms that ended are deleted on the way, also if nobody opens another.
    """
    cleared = -_CLEAR_SECONDS
    while (found := server()) is not None:
        with suppress(ExplorerError):  # pages say what is wrong with the store
            found.engine.tend()
            if time.monotonic() >= cleared + _CLEAR_SECONDS:
                cleared = time.monotonic()
                Rooms(found.store).clear()
        del found
        time.sleep(_TEND_SECONDS)


def server() -> Server:
    """This server's store and engine; one line of error where the store cannot be used."""
    return _server(str(home()))


@st.cache_resource
def _studies(folder: str) -> Studies:
    return Studies(server().store.folder / "studies")


def studies() -> Studies:
    """The measurements that were made here, or are being made."""
    return _studies(str(home()))


@st.cache_resource
def errands() -> Errands:
    """The maps that were made here, or are being made, for all visitors."""
    return Errands(_KEPT_MAPS)


@st.cache_resource
def _rooms(folder: str) -> Rooms:
    return Rooms(server().store)


def rooms() -> Rooms:
    """The rooms of this server's store."""
    return _rooms(str(home()))


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """The recordings that ship with the program."""
    return Library()


@st.cache_resource
def sweep(name: str) -> sweeps.Recorded:
    """A sweep that ships with the program."""
    try:
        text = (sweeps.SHIPPED / f"{name}.jsonl").read_text(encoding="utf-8")
    except OSError:
        raise RequestError(tr("the recorded answer ({name}) is missing from this installation", name=name)) from None
    return sweeps.unpacked(text, name)


def catalogue() -> Catalogue:
    """All runs, of the store and shipped."""
    return Catalogue(server().store, library())


def data_choices() -> list[str]:
    """What the data control offers: the server's own images, and the generated shapes."""
    chosen = sources.usual()
    return [chosen] if source(chosen).kind == "shapes" else [chosen, "shapes"]


@st.cache_data(max_entries=_LARGEST_CACHE, ttl=30, show_spinner=False)
def source(data: str) -> Any:
    """Which images `data` stands for; looked up again after half a minute, since a fetch may have ended."""
    return sources.resolve(data)


@st.cache_resource(max_entries=2, show_spinner=False)
def _images(name: str, data: str, _note: Callable[[float], None] | None = None) -> "ImageSet":
    return sources.load(data, _note) if _note else sources.load(data)


def images(data: str) -> "ImageSet":
    """All images of a source."""
    return _images(source(data).name, data)


def reading(data: str) -> Errand:
    """The errand whose value is `images(data)`: there at once, or after the seconds that it takes to decode them."""
    name = source(data).name
    return errands().ask(("images", name), lambda errand: _images(name, data, errand.note), _READING_SECONDS)


def read_ahead() -> None:
    """Have the server's own images decoded, so that nobody need wait for them."""
    while not wait([reading(sources.usual())], _TEND_SECONDS):
        pass  # asked again each second: what nobody asks for is left alone


def source_of(run: Run) -> Any:
    """Where the images are that a run was trained on; refused if they are not here."""
    return source(data_of(run))


def data_of(run: Run) -> str:
    """The source of the images that a run was trained on, or of CIFAR-10 in another encoding; refused if not here."""
    data = _data_of(run)
    if data is None:
        raise RequestError(
            tr(
                "the images of {run} ({data}) are not on this machine: fetch CIFAR-10 with "
                "`python -m explorer data fetch`, or upload a picture",
                run=label(run), data=run.config.data,
            )
        )  # fmt: skip
    return data


def has_images(run: Run) -> bool:
    """Whether `data_of` would find them; nothing is read."""
    return _data_of(run) is not None


def _data_of(run: Run) -> str | None:
    for data in filter(None, (run.location, *data_choices(), "auto")):
        try:
            name = source(data).name
        except RequestError:
            continue  # the folder has gone since
        if name == run.config.data or kind(name) == kind(run.config.data) == "cifar10":
            return data
    return None


def kind(data: str) -> str:
    """What an image set is, whatever its encoding: cifar10, shapes, images."""
    return data.partition("@")[0].partition("-")[0]


def error_without(run: Run, removed: tuple[str, ...]) -> float:
    """The error of a run's network without these blocks on the first `QUICK_IMAGES` test images, measured at once."""
    with st.spinner(tr("Measuring …")):
        return _error_without(run.run, run.provenance.date if run.provenance else "", removed)


@st.cache_data(max_entries=512, show_spinner=False)
def _error_without(run: str, ended: str, removed: tuple[str, ...]) -> float:
    from explorer.data.augmentation import prepare
    from explorer.measurement import lesions
    from explorer.measurement.subject import Subject

    found = catalogue().run(run)
    network, seen = trained(found), images(data_of(found))
    pixels = prepare(seen.test_images[:QUICK_IMAGES], found.config.training.image_size)
    subject = Subject(network.network, pixels, seen.test_labels[:QUICK_IMAGES], network.normalization)
    return lesions.error_without(subject, removed)


def channel_spreads(run: Run, share: float) -> Any:
    """How much the channels of each layer differ at the kept weights nearest to a share of the training; () if none."""
    if run.config.weights or not catalogue().has_weights(run.run):
        return ()
    steps = [0, *catalogue().kept_steps(run.run), run.config.training.steps]
    nearest = min(steps, key=lambda step: abs(step - share * run.config.training.steps))
    return _channel_spreads(run.run, nearest)


@st.cache_data(max_entries=256, show_spinner=False)
def _channel_spreads(run: str, step: int) -> Any:
    from explorer.measurement.channels import channel_spreads
    from explorer.networks.build import build

    config = catalogue().run(run).config
    if step == 0:
        return channel_spreads(build(config.network, config.seed))
    return channel_spreads(
        recordings.trained(catalogue(), run, None if step == config.training.steps else step).network
    )


@st.cache_resource(max_entries=_LARGEST_CACHE, show_spinner=False)
def _trained(run: str, ended: str, step: int | None) -> "Trained":
    return recordings.trained(catalogue(), run, step)


def trained(run: Run, step: int | None = None) -> "Trained":
    """A run's trained network, with `step` as it was then; read only, shared by all visitors."""
    return _trained(run.run, run.provenance.date if run.provenance else "", step)
