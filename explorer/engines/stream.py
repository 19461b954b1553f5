"""One run's training as a stream of what is to be kept of it.

An engine decides where `stream` runs; whoever has the store calls `keep` with each event. So a training needs neither
the store nor its disk: `Order` and events are values that travel.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from explorer import checkpoints, files, recordings, states
from explorer import device as devices
from explorer.config import NetworkConfig, RunConfig
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.device import Device
from explorer.errors import ExplorerError
from explorer.measurement.constructed import deepened
from explorer.memory import must_recompute
from explorer.networks.build import build
from explorer.networks.recompute import segment
from explorer.provenance import made_here, now
from explorer.recordings import Catalogue, Library
from explorer.records import Provenance, Record
from explorer.runs import DONE, FAILED, Run, Store
from explorer.training import Training, kept_steps

_STATE = 2  # what `Training.state` holds: to be raised when that changes
KEEP_SECONDS = 15.0  # a state of the largest network takes a second to write, of a usual one hundredths


@dataclass(frozen=True)
class Order:
    """What a training needs besides the images."""

    config: RunConfig
    state: bytes | None
    """Packed, of where it was left; None if it was never begun."""
    start: tuple[NetworkConfig, bytes] | None
    """The trained shallower network that it begins with, if it does, and its tensors (safetensors)."""
    keep_seconds: float = KEEP_SECONDS
    """Between two states kept on the way."""


@dataclass(frozen=True)
class Begun:
    """From the start, or from the state that was kept last."""

    provenance: Provenance
    seq: int
    """Of the last record that stands; those after it will come again, the same."""


@dataclass(frozen=True)
class Recorded:
    """More of the curve."""

    records: tuple[Record, ...]


@dataclass(frozen=True)
class Weights:
    """A checkpoint's content: after `step` steps, None for the end."""

    step: int | None
    content: bytes


@dataclass(frozen=True)
class Kept:
    """All that another process needs to go on from here."""

    state: bytes


@dataclass(frozen=True)
class Finished:
    """Trained to the end."""

    provenance: Provenance


@dataclass(frozen=True)
class Failed:
    """It cannot go on; why, in one line."""

    message: str


@dataclass(frozen=True)
class Left:
    """Before the end, its state kept."""


Event = Begun | Recorded | Weights | Kept | Finished | Failed | Left
ENDS = (Finished, Failed, Left)


def ordered(store: Store, config: RunConfig, keep_seconds: float) -> Order:
    """What a run's training needs, from the store. Raises ExplorerError where the network it starts from is lost."""
    start = None
    if config.start:
        shallow = recordings.trained(Catalogue(store, Library()), config.start)
        start = shallow.network.config, checkpoints.to_safetensors(shallow)
    return Order(config, states.read(store.state(config.run)), start, keep_seconds)


def images(run: Run) -> ImageSet:
    """The images that a run was asked for with; refused if others lie there by now."""
    found = sources.load(run.location)
    if found.name != run.config.data:
        raise ExplorerError(f"the images in {run.location} are now {found.name}, not {run.config.data}: start anew")
    return found


def stream(order: Order, images: ImageSet, machine: Device, leave: Callable[[], bool]) -> Iterator[Event]:
    """Train to the end, or to the step after which `leave` is true; the last event is one of `ENDS`."""
    try:
        yield from _trained(order, images, machine, leave)
    except ExplorerError as error:
        yield Failed(str(error))
    except MemoryError:
        yield Failed("out of memory: try a smaller network or batch")
    except RuntimeError as error:  # torch: out of device memory, numbers that are none, ...
        yield Failed(_first_line(error))
    except Exception as error:  # a mistake of ours: told as what it is, not taken for a worker that died
        yield Failed(f"{type(error).__name__}: {_first_line(error)}")
    finally:
        devices.give_memory_back(machine.kind)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]


def keep(store: Store, run: str, event: Event) -> None:
    """Put what a training tells into the store."""
    match event:
        case Begun():
            store.set_provenance(run, event.provenance)
            store.rewind(run, event.seq)
        case Recorded():
            store.append(run, *event.records)
        case Weights():
            files.replace(store.checkpoint(run, event.step), event.content)
        case Kept():
            states.write(store.state(run), event.state)
            store.got_further(run)
        case Finished():
            store.set_provenance(run, event.provenance)
            store.finish(run, DONE)
            store.forget_state(run)
        case Failed():
            store.finish(run, FAILED, event.message)
        case Left():
            store.yield_turn(run)  # unless it is paused


def _trained(order: Order, images: ImageSet, machine: Device, leave: Callable[[], bool]) -> Iterator[Event]:
    config = order.config
    precision = machine.precision(config.training.precision)
    network = _network(order)
    if must_recompute(config):
        network.recompute = segment(sum(config.network.blocks))
        devices.free_at_once()
    training = Training(network, images, config.training, seed=config.seed, device=machine.kind, precision=precision)
    made_with = _made_with(machine, precision)
    kept = states.unpack(order.state) if order.state else None
    if kept and kept["made_with"] == made_with:  # else it would not lead to the same bits here
        training.restore(kept)
    provenance = made_here(images.description, precision)
    yield Begun(provenance, training.seq)
    yield from _steps(order, training, made_with, leave)
    if training.finished:
        yield Weights(None, checkpoints.pack(config, training.network, training.data.normalization))
        yield Finished(replace(provenance, date=now(), seconds=training.seconds))
    else:
        yield Left()


def _network(order: Order) -> Any:
    """What training begins with: random weights, or a trained shallower network with identity layers added."""
    config = order.config
    if order.start is None:
        return build(config.network, config.seed)
    shallow, tensors = order.start
    return deepened(checkpoints.from_safetensors(tensors, shallow, config.start).network, config.network.depth)


def _steps(order: Order, training: Training, made_with: dict[str, Any], leave: Callable[[], bool]) -> Iterator[Event]:
    """To the end, or to where the run is to be left, its state kept."""
    steps, kept = kept_steps(order.config.training), time.monotonic()
    while not training.finished:
        if leave():
            yield Kept(states.pack({**training.state(), "made_with": made_with}))
            return
        records = training.advance()
        if training.done in steps:
            content = checkpoints.pack(order.config, training.network, training.data.normalization)
            yield Weights(training.done, content)
        if records:
            yield Recorded(tuple(records))
        if time.monotonic() - kept > order.keep_seconds:
            yield Kept(states.pack({**training.state(), "made_with": made_with}))
            kept = time.monotonic()


def _made_with(machine: Device, precision: str) -> dict[str, Any]:
    """On what, besides the config, the bits depend."""
    return {
        "state": _STATE,
        "device": machine.description,
        "threads": machine.threads,
        "precision": precision,
        **devices.versions(),
    }
