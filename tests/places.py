"""The places where the engines run, for the tests that hold for each: worker processes here, a Ray cluster."""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from benchmarks import nodes
from benchmarks.nodes import RayNodes
from explorer.engines.local import LocalEngine
from explorer.engines.ray import Cluster, RayEngine
from explorer.jobs import Engine
from explorer.runs import LOCAL, RAY, Store


@dataclass(frozen=True)
class Place:
    """One engine, and how to find its processes."""

    name: str
    engine: Callable[..., Engine]
    """Of a store, and the seconds between states and of a turn."""
    trainers: Callable[[Store], list[psutil.Process]]
    """Those that train what the store has queued."""
    started: Callable[[Store], list[psutil.Process]]
    """Those that `tend` starts."""

    def end(self, store: Store) -> None:
        """Kill what is left."""
        for process in (*self.started(store), *self.trainers(store)):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def local() -> Place:
    """Worker processes on this machine."""
    return Place(LOCAL, LocalEngine, workers, workers)


def on_ray(cluster: RayNodes) -> Place:
    """A Ray cluster, one CPU a training."""

    def engine(store: Store, seconds: tuple[float, ...] = ()) -> RayEngine:
        return RayEngine(store, Cluster(cluster.address), seconds)

    return Place(RAY, engine, lambda _store: cluster.trainers(), drivers)


@contextmanager
def ray_nodes(folder: Path, count: int, cpus: int = 1) -> Iterator[RayNodes]:
    """A Ray cluster for as long as the block; skips where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install -r requirements-ray.txt")
    with nodes.ray_nodes(folder, count, cpus) as cluster:
        yield cluster


def workers(store: Store) -> list[psutil.Process]:
    """This machine's own."""
    return _with("explorer.engines.worker", store)


def drivers(store: Store) -> list[psutil.Process]:
    """Those that hand runs to Ray."""
    return _with("explorer.engines.ray_driver", store)


def _with(module: str, store: Store) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if {module, str(store.folder)} <= set(one.info["cmdline"] or [])]
