"""The Ray engine: a driver process on this machine hands what is queued for Ray to trainers on the cluster's nodes.

Nothing here imports Ray: a server without it, and a page, stay as light as they are.
"""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from explorer import files
from explorer.device import NICENESS
from explorer.engines.slots import hold_ray
from explorer.errors import ExplorerError, RequestError
from explorer.language import tr
from explorer.runs import RAY, Store

ROOT = Path(__file__).resolve().parents[2]
_FILE, LOG = "ray.json", "ray.log"
_RAYS_OWN = re.compile(r"^\[[^]]*\] \S+:\d+: |(?<=seconds)\. .*")  # time, process and place in Ray's code; its advice
_AGAIN_SECONDS = 20.0  # between two tries to reach a cluster that could not be reached


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that is there already, and how much of it each training takes."""

    address: str
    """`host:port` of its head; this machine must be one of its nodes."""
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        host, _, port = self.address.rpartition(":")
        if not host or not port.isdigit():
            raise RequestError(
                tr(
                    "{address!r} is no Ray cluster: write host:port, as 127.0.0.1:6379",
                    address=self.address,
                )
            )
        if self.cpus < 0 or self.gpus < 0 or self.cpus + self.gpus == 0:
            raise RequestError(tr("a training takes a part of a CPU or of a GPU at least"))

    def reach(self) -> None:
        """See whether anything listens there: Ray itself asks for minutes. Raises OSError."""
        host, _, port = self.address.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()


def known(store: Store, environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster that the environment names, else the one that the store's runs were last handed to; None if none.

    Never one that a visitor names: whoever runs a cluster can run code in its driver.
    """
    address = environment.get("EXPLORER_RAY_ADDRESS")
    if address:
        share = [environment.get(f"EXPLORER_RAY_{what}") for what in ("CPUS", "GPUS")]
        try:
            return Cluster(address, float(share[0] or 1), float(share[1] or 0))
        except ValueError:
            raise RequestError(tr("EXPLORER_RAY_CPUS and EXPLORER_RAY_GPUS are numbers, as 0.5")) from None
    try:
        return Cluster(**json.loads((store.folder / _FILE).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def surroundings(host: str) -> dict[str, str]:
    """Environment of a process of Ray's: nothing without the token, nothing told to Ray's makers; on a loopback address
    no other machine can reach it."""
    found = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    found["RAY_worker_niceness"] = str(NICENESS)
    if is_loopback(host):
        found["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # else Ray takes this machine's own address in its place
    return found


def is_loopback(host: str) -> bool:
    """Whether an address leads to this machine alone."""
    return host in ("localhost", "127.0.0.1", "::1", "[::1]")


class RayEngine:
    """Keeps a driver alive while something is queued for Ray. Starts nothing until `tend` finds something queued."""

    def __init__(self, store: Store, cluster: Cluster, seconds: tuple[float, ...] = ()) -> None:
        """`seconds` between two states kept, and of a run's turn, where not the usual ones."""
        self.store, self.cluster, self.seconds = store, cluster, seconds
        self.driver: subprocess.Popen[bytes] | None = None
        self._reason = ""
        self._started = 0.0
        self._tending = threading.Lock()
        files.replace(store.folder / _FILE, json.dumps(asdict(cluster)).encode())

    @property
    def problem(self) -> str:
        """Why the cluster cannot be used, in one line; empty while it can, as far as is known."""
        return self._told(self._reason) if self._reason else ""

    def check(self) -> None:
        """Refuse a cluster that cannot be there, before anything is queued for it."""
        if importlib.util.find_spec("ray") is None:
            raise RequestError(tr("Ray is not installed: pip install -r requirements-ray.txt"))
        try:
            self.cluster.reach()
        except OSError as error:
            raise ExplorerError(self._told(error.strerror or str(error))) from None

    def tend(self) -> None:
        """Give back to the queue what a dead driver left, and start one for what is queued; call it often.

        Raises ExplorerError, one clear line, while the cluster cannot be used; tries again now and then.
        """
        with self._tending:
            if not self.store.active(RAY) or (self.driver is not None and self.driver.poll() is None):
                return
            failed = self.driver is not None and self.driver.returncode > 0
            self._reason = self._last_words() if failed else ""
            if failed and time.monotonic() - self._started < _AGAIN_SECONDS:
                raise ExplorerError(self.problem)
            lock = hold_ray(self.store, wait=0)
            if lock is not None:  # else another's driver is at work
                lock.release()
                self.driver = self._start() if self.store.queued(RAY) else None

    def _told(self, reason: str) -> str:
        return tr("the Ray cluster at {address} cannot be used: {reason}", address=self.cluster.address, reason=reason)

    def _last_words(self) -> str:
        lines = (self.store.folder / LOG).read_text(errors="replace").strip().splitlines()
        return _RAYS_OWN.sub("", lines[-1])[:300] if lines else "?"

    def _start(self) -> "subprocess.Popen[bytes]":
        """A driver in a session of its own, so that it outlives the server and a Ctrl-C meant for the server."""
        self._started = time.monotonic()
        cluster = self.cluster
        arguments = [str(self.store.folder), cluster.address, cluster.cpus, cluster.gpus, *self.seconds]
        with (self.store.folder / LOG).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "explorer.engines.ray_driver", *map(str, arguments)],
                cwd=ROOT,
                env=os.environ | surroundings(cluster.address.rpartition(":")[0]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
