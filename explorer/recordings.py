"""Recordings: finished runs packed as one file each, for shipping and for exchange.

A recording is a zip of `manifest.json` (format, config, provenance, label), `records.json` and, where they were kept,
`weights.safetensors`. Reading one gives what the store gives, so that live and recorded share every page.
"""

import io
import json
import zipfile
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.config import RunConfig
from explorer.errors import ExplorerError, RequestError
from explorer.records import Provenance, Record, record_from_dict, record_to_dict
from explorer.runs import DONE, Run, Store

if TYPE_CHECKING:
    from explorer.checkpoints import Trained

SUFFIX = ".recording"
SHIPPED = Path(__file__).resolve().parents[1] / "assets" / "recordings"
_FORMAT = 1


@dataclass(frozen=True)
class Recording:
    """One unpacked recording; `run.provenance.origin` is "recorded"."""

    run: Run
    records: list[Record]
    weights: bytes | None
    """safetensors, or None where they were not kept."""


def pack(run: Run, records: list[Record], weights: bytes | None) -> bytes:
    """A finished run as the bytes of one file."""
    if run.state != DONE or run.provenance is None:
        raise RequestError(f"run {run.run} is {run.state}: only a finished run can be exported")
    manifest = {
        "format": _FORMAT,
        "run": run.run,
        "config": run.config.to_dict(),
        "provenance": asdict(replace(run.provenance, origin="recorded")),
        "label": run.label,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, indent=1, sort_keys=True))
        archive.writestr("records.json", json.dumps([record_to_dict(record) for record in records]))
        if weights is not None:
            archive.writestr("weights.safetensors", weights)
    return target.getvalue()


def unpack(content: bytes, name: str) -> Recording:
    """Read `pack` back; a damaged file, or one of a newer format, is refused with the reason."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if manifest["format"] > _FORMAT:
                raise RequestError(f"{name} is of format {manifest['format']}, newer than this program: update it")
            config = RunConfig.from_dict(manifest["config"])
            if config.run != manifest["run"]:
                raise RequestError(f"{name} was altered: its config is not that of run {manifest['run']}")
            records = [record_from_dict(values) for values in json.loads(archive.read("records.json"))]
            weights = archive.read("weights.safetensors") if "weights.safetensors" in archive.namelist() else None
            provenance = Provenance(**manifest["provenance"])
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError) as error:
        raise RequestError(f"{name} is not a whole recording ({error}): export it again") from None
    run = Run(config, DONE, "", str(manifest.get("label", "")), replace(provenance, origin="recorded"), "", 0.0)
    return Recording(run, records, weights)


class Library:
    """The recordings in one folder, read once, when first asked for; it never changes anything."""

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.folder = folder

    @cached_property
    def _recordings(self) -> dict[str, Recording]:
        files = sorted(self.folder.glob(f"*{SUFFIX}"))
        unpacked = (unpack(file.read_bytes(), file.name) for file in files)
        return {recording.run.run: recording for recording in unpacked}

    def runs(self) -> list[Run]:
        """All recorded runs."""
        return [recording.run for recording in self._recordings.values()]

    def get(self, run: str) -> Recording | None:
        """One recording by its run's identity."""
        return self._recordings.get(run)


@dataclass(frozen=True)
class Catalogue:
    """The store's runs and the shipped recordings as one; what ran here comes before what was recorded."""

    store: Store
    library: Library

    def runs(self) -> list[Run]:
        """All runs, those of the store first."""
        own = self.store.runs()
        known = {run.run for run in own}
        return own + [run for run in self.library.runs() if run.run not in known]

    def run(self, run: str) -> Run:
        """One run by its identity or the beginning of it; an unknown one is refused."""
        matches = [known for known in self.runs() if known.run.startswith(run)] if run else []
        if len(matches) != 1:
            reason = "no run" if not matches else f"{len(matches)} runs begin with"
            raise RequestError(f"{reason} {run!r}: `python -m explorer runs list` shows those there are")
        return matches[0]

    def records(self, run: str) -> list[Record]:
        """A run's records, in order."""
        recording = self.library.get(run)
        return self.store.records(run) if recording is None or self.store.get(run) else recording.records

    def has_weights(self, run: str) -> bool:
        """Whether the trained network itself can be looked into."""
        recording = self.library.get(run)
        return self.store.checkpoint(run).exists() or bool(recording and recording.weights)


def trained(catalogue: Catalogue, run: str) -> "Trained":
    """The trained network of a run of the catalogue; one whose weights were not kept is refused."""
    from explorer.checkpoints import from_safetensors, load  # torch: not before a page's first paint

    checkpoint = catalogue.store.checkpoint(run)
    if checkpoint.exists():
        return load(checkpoint)[1]
    recording = catalogue.library.get(run)
    if recording is None or recording.weights is None:
        raise RequestError(f"the weights of run {run} were not kept: only its curves can be shown")
    return from_safetensors(recording.weights, recording.run.config.network, run)


def export(catalogue: Catalogue, run: str, curves_only: bool = False) -> bytes:
    """A run of the catalogue as a recording, with its weights if they are there and wanted."""
    from explorer.checkpoints import to_safetensors

    keep = catalogue.has_weights(run) and not curves_only
    weights = to_safetensors(trained(catalogue, run)) if keep else None
    return pack(catalogue.run(run), catalogue.records(run), weights)


def add(store: Store, content: bytes, name: str) -> Run:
    """Put a recording into the store; a run that is there already stays as it is."""
    from explorer.checkpoints import from_safetensors, save

    recording = unpack(content, name)
    config = recording.run.config
    if store.get(config.run):
        raise RequestError(f"run {config.run} is in the store already: delete it first to replace it")
    if recording.weights is not None:
        trained = from_safetensors(recording.weights, config.network, name)
        save(store.checkpoint(config.run), config, trained.network, trained.normalization)
    if recording.run.provenance is None:
        raise ExplorerError(f"{name} does not say where its numbers come from")
    store.add(config, recording.run.provenance, recording.records, recording.run.label)
    return store.run(config.run)
