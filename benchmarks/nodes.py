"""A Ray cluster of several nodes on one machine, on its loopback address, for benchmarks and tests.

Real nodes, each with its own processes; what they share is the machine's cores.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from explorer.engines.ray import surroundings

ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 60
_JOIN = """
from ray._private import services
services.resolve_ip_for_localhost = str  # Ray takes a second node on a loopback address for a mistake
from ray.scripts.scripts import main
main()
"""


@dataclass
class RayNodes:
    """A head that trains nothing, and nodes of one CPU each, all on this machine's loopback address."""

    folder: Path
    port: int
    token: str
    nodes: list[psutil.Popen] = field(default_factory=list)
    started: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, cpus: int = 1, gpus: int = 0) -> psutil.Popen:
        """One more node, the first is the head; it is there when this returns, since two that start at once collide.

        `gpus` are what the node says that it has: Ray believes it.
        """
        head = ["-m", "explorer", "cluster", "--port", str(self.port), "--cpus", str(cpus)]
        joining = ["start", f"--address={self.address}", "--node-ip-address=127.0.0.1", f"--num-cpus={cpus}"]
        joining += [f"--num-gpus={gpus}"] if gpus else []
        arguments = ["-c", _JOIN, *joining, "--object-store-memory=600000000", "--block"] if self.nodes else head
        environment = os.environ | surroundings("") | {"RAY_AUTH_TOKEN": self.token, "PYTHONPATH": str(ROOT)}
        log_file = self.folder / f"node-{self.started}.log"
        self.started += 1
        with log_file.open("wb") as log:
            node = psutil.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.nodes.append(node)
        _wait(node, log_file)
        return node

    def kill(self, node: psutil.Popen) -> None:
        """What a power cut does: all its processes at once."""
        for process in [*node.children(recursive=True), node]:
            _kill(process)
        node.wait(10)
        self.nodes.remove(node)

    def trainers(self) -> list[psutil.Process]:
        """All that train on these nodes."""
        children = [child for node in self.nodes for child in node.children(recursive=True)]
        return [child for child in children if (_command(child) or [""])[0].startswith("ray::Trainer")]


@contextmanager
def ray_nodes(folder: Path, nodes: int, cpus: int = 1) -> Iterator[RayNodes]:
    """A cluster for as long as the block, its token in the environment: a head that trains nothing, and `nodes`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = RayNodes(folder, port, "a-token-of-the-tests-0123456789abcdef")
    before = os.environ.get("RAY_AUTH_TOKEN")
    os.environ["RAY_AUTH_TOKEN"] = cluster.token
    try:
        cluster.add(cpus=0)
        for _ in range(nodes):
            cluster.add(cpus)
        yield cluster
    finally:
        for node in [one for one in cluster.nodes[::-1] if one.is_running()]:
            children = node.children(recursive=True)
            node.send_signal(signal.SIGTERM)
            psutil.wait_procs([node, *children], timeout=10)
            for process in [node, *children]:
                _kill(process)
        if before is None:
            del os.environ["RAY_AUTH_TOKEN"]
        else:
            os.environ["RAY_AUTH_TOKEN"] = before


def ray_status(cluster: RayNodes, code: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run code that talks to the cluster in a process of its own, with another token if given."""
    environment = os.environ | surroundings("127.0.0.1") | {"RAY_AUTH_TOKEN": token or cluster.token}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def _wait(node: psutil.Popen, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while b"Ray runtime started" not in log.read_bytes():
        if time.monotonic() > end or node.poll() is not None:
            raise RuntimeError(log.read_text()[-2000:])
        time.sleep(0.1)


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
