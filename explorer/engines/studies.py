"""Measurements that take longer than a click: each a command in a process of its own, its records in a file.

A study is what `python -m explorer measure … --json` prints. Asked for twice, it is made once; what is there of it can
be read while it is made. A server that goes away loses sight of those being made; those that are done stay. Some ship
with the program, made of its recordings (`python -m explorer measure … --json > FILE`, the file named by `key`).
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import RequestError
from explorer.language import tr

RUNNING, DONE, FAILED = "running", "done", "failed"
MOST = 2  # at once: each takes a core from the trainings
_ROOT = Path(__file__).resolve().parents[2]
SHIPPED = _ROOT / "assets" / "studies"


@dataclass(frozen=True)
class Study:
    """How far a study is."""

    state: str
    """running · done · failed"""
    records: list[dict[str, Any]]
    """As the command printed them, without the result; each says how far it is, `done` of `of`."""
    result: dict[str, Any] | None
    message: str
    """Why it failed, in one line."""
    seconds: float = 0.0
    """Since it was begun, while it runs."""
    recorded: bool = False
    """Whether it shipped with the program."""

    @property
    def share(self) -> float:
        """How much of it is done, 0..1."""
        if self.state == DONE:
            return 1.0
        return float(self.records[-1]["done"] / self.records[-1]["of"]) if self.records else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds until it is done, judged by what it has done; None before there is any."""
        return self.seconds * (1 - self.share) / self.share if self.share else None


class Studies:
    """The studies in one folder, and those that ship with the program.

    A study is asked for by the arguments of its command but for the place of the images: that is a matter of the
    machine, and which images they are is part of the run.
    """

    def __init__(self, folder: Path, shipped: Path = SHIPPED) -> None:
        self.folder, self.shipped = folder, shipped
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._begun: dict[str, float] = {}
        self._wanted: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], data: str = "", asker: str = "") -> None:
        """Make a study for `asker`, of the images at `data` if it needs any, unless it is made or being made.

        Raises RequestError while others take all places.
        """
        with self._lock:
            found = self.get(arguments)
            if found and found.state == RUNNING:
                self._wanted[key(arguments)].add(asker)
            if found and found.state in (RUNNING, DONE):
                return
            running = sum(process.poll() is None for process in self._processes.values())
            if running >= MOST:
                raise RequestError(
                    tr("{count} measurements are being made: wait for one of them, or stop it", count=running)
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            output, errors = self._files(arguments)
            output.unlink(missing_ok=True)  # a maker from before, if there is one still, writes to nobody
            where = ["--data", data] if data else []
            command = [sys.executable, "-m", "explorer", "measure", *arguments, *where, "--json"]
            self._begun[key(arguments)], self._wanted[key(arguments)] = time.monotonic(), {asker}
            with output.open("wb") as out, errors.open("wb") as err:
                self._processes[key(arguments)] = subprocess.Popen(
                    command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=_ROOT,
                    env={**os.environ, "EXPLORER_HOME": str(self.folder.parent)},
                )  # fmt: skip

    def wanted_by(self, arguments: Sequence[str]) -> set[str]:
        """Who asked for a study that is being made, and has not stopped it."""
        process = self._processes.get(key(arguments))
        return set(self._wanted[key(arguments)]) if process and process.poll() is None else set()

    def stop(self, arguments: Sequence[str], askers: Collection[str] = ("",)) -> None:
        """These want a study no longer; it ends, and nothing of it stays, when nobody does.

        Raises RequestError where it is being made for others alone.
        """
        with self._lock:
            process = self._processes.get(key(arguments))
            if process is None or process.poll() is not None:
                return
            wanted = self._wanted[key(arguments)]
            if not wanted & set(askers):
                raise RequestError(
                    tr("this measurement is another's: only who asked for it, and a room's presenter, can stop it")
                )
            wanted -= set(askers)
            if not wanted:
                process.kill()
                process.wait()
                del self._processes[key(arguments)]
                for file in self._files(arguments):
                    file.unlink(missing_ok=True)

    def get(self, arguments: Sequence[str]) -> Study | None:
        """A study as far as it is; None if it was never begun, or its maker is gone."""
        output, errors = self._files(arguments)
        shipped = self.shipped / output.name
        if shipped.exists():
            return Study(DONE, *_read(shipped), "", recorded=True)
        process = self._processes.get(key(arguments))
        running = process is not None and process.poll() is None  # before the file is read: what ended wrote it all
        try:
            records, result = _read(output)
        except FileNotFoundError:
            return None
        if result is not None:
            return Study(DONE, records, result, "")
        if running:
            return Study(RUNNING, records, None, "", time.monotonic() - self._begun[key(arguments)])
        if process is None:
            return None
        told = errors.read_text(errors="replace").strip().splitlines()
        return Study(FAILED, records, None, told[-1] if told else "it was ended from outside")

    def _files(self, arguments: Sequence[str]) -> tuple[Path, Path]:
        name = key(arguments)
        return self.folder / f"{name}.jsonl", self.folder / f"{name}.log"


def key(arguments: Sequence[str]) -> str:
    """What the study of these arguments is called."""
    return hashlib.sha256(json.dumps(list(arguments)).encode()).hexdigest()[:16]


def _read(file: Path) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The records and, if it is there, the result."""
    values = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]  # the last is not written to its end
    records = [value for value in values if "kind" in value]
    return records, next((value for value in values if "kind" not in value), None)
