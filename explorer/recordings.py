"""Recordings: finished runs packed as one file each, for shipping and for exchange.

A recording is a zip of `manifest.json` (format, config, provenance, label, checksums), `records.json` and, where they
were kept, `weights.safetensors` and `weights-STEP.safetensors` from the way there. Reading one gives what the store
gives, so that live and recorded share every page.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.config import RunConfig
from explorer.errors import ExplorerError, RequestError
from explorer.language import tr
from explorer.records import EvaluationRecord, Provenance, Record, check, record_from_dict, record_to_dict
from explorer.runs import DONE, Run, Store

if TYPE_CHECKING:
    from explorer.checkpoints import Trained

SUFFIX = ".recording"
SHIPPED = Path(__file__).resolve().parents[1] / "assets" / "recordings"
_FORMAT = 2  # 1 had no checksums and no weights from on the way
_LARGEST = 2**29  # bytes unpacked: ResNet-1202 with its weights takes less than half of it
_LARGEST_TEXT = 2**26  # bytes of its records: ResNet-1202's take a hundredth of it
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError, AttributeError, NotImplementedError,
    RecursionError,
)  # fmt: skip
_WEIGHTS = re.compile(r"weights(?:-(\d{1,8}))?\.safetensors")


@dataclass(frozen=True)
class Recording:
    """One unpacked recording; `run.provenance.origin` is "recorded"."""

    run: Run
    records: list[Record]
    weights: Mapping[int, bytes]
    """safetensors by the number of steps they were trained for, as far as they were kept."""

    @property
    def final(self) -> bytes | None:
        """The trained network's weights, None where they were not kept."""
        return self.weights.get(self.run.config.training.steps)


def pack(run: Run, records: list[Record], weights: Mapping[int, bytes]) -> bytes:
    """A finished run as the bytes of one file, with safetensors by the number of steps."""
    if run.state != DONE or run.provenance is None:
        raise RequestError(
            tr("run {run} is {state}: only a finished run can be exported", run=run.run, state=run.state)
        )
    files = {"records.json": json.dumps([record_to_dict(record) for record in records]).encode()}
    files |= {_weights_name(step, run.config): content for step, content in weights.items()}
    manifest = {
        "format": _FORMAT,
        "run": run.run,
        "config": run.config.to_dict(),
        "provenance": asdict(replace(run.provenance, origin="recorded")),
        "label": run.label,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, indent=1, sort_keys=True))
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def unpack(content: bytes, name: str) -> Recording:
    """Read `pack` back; a damaged file, or one of a newer format, is refused with the reason."""
    try:
        files = _files(content, name)
        manifest = json.loads(files.pop("manifest.json"))
        if manifest["format"] > _FORMAT:
            raise RequestError(
                tr(
                    "{file} is of format {format}, newer than this program: update it",
                    file=name,
                    format=manifest["format"],
                )  # fmt: skip
            )
        config = RunConfig.from_dict(manifest["config"])
        if config.run != manifest["run"]:
            raise RequestError(
                tr("{file} was altered: its config is not that of run {run}", file=name, run=manifest["run"])
            )
        _check(files, manifest, name)
        records = [record_from_dict(values) for values in json.loads(files.pop("records.json"))]
        provenance = Provenance(**manifest["provenance"])
        for value in (*records, provenance):
            check(value)
    except RequestError:
        raise
    except _DAMAGED as error:
        raise RequestError(
            tr("{file} is not a whole recording ({reason}): export it again", file=name, reason=error)
        ) from None
    if not any(isinstance(record, EvaluationRecord) for record in records):
        raise RequestError(tr("{file} holds no records: export it again", file=name))
    if any(record.step > config.training.steps for record in records):
        raise RequestError(tr("{file} was altered: it has records after its last step", file=name))
    run = Run(config, DONE, "", str(manifest.get("label", "")), replace(provenance, origin="recorded"), "", 0.0)
    return Recording(run, records, {_step(file, config): content for file, content in files.items()})


def _files(content: bytes, name: str) -> dict[str, bytes]:
    """What the zip holds; names that are none of a recording's, and more than fits one, are refused unread."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        foreign = [
            member.filename
            for member in members
            if member.filename not in ("manifest.json", "records.json") and not _WEIGHTS.fullmatch(member.filename)
        ]
        if foreign:
            raise RequestError(
                tr("{file} holds {part!r}, which is no part of a recording", file=name, part=foreign[0][:60])
            )
        texts = [member.file_size for member in members if member.filename.endswith(".json")]
        if sum(member.file_size for member in members) > _LARGEST or sum(texts) > _LARGEST_TEXT:
            raise RequestError(
                tr(
                    "{file} would unpack to more than {most} MB: no recording is so large",
                    file=name,
                    most=_LARGEST // 2**20,
                )  # fmt: skip
            )
        return {member.filename: archive.read(member) for member in members}


def _check(files: Mapping[str, bytes], manifest: dict[str, Any], name: str) -> None:
    """Refuse what is not as it was packed."""
    if manifest["format"] == 1:
        return
    packed = manifest["sha256"]
    found = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    different = sorted(file for file in packed.keys() | found.keys() if packed.get(file) != found.get(file))
    if different:
        raise RequestError(
            tr("{file} was altered: {part} is not what was packed; export it again", file=name, part=different[0])
        )


def _weights_name(step: int, config: RunConfig) -> str:
    return "weights.safetensors" if step == config.training.steps else f"weights-{step}.safetensors"


def _step(name: str, config: RunConfig) -> int:
    match = _WEIGHTS.fullmatch(name)
    return int(match[1]) if match and match[1] else config.training.steps


def _problem(file: Path) -> str:
    """Why it cannot be read; nothing if by now it can."""
    try:
        unpack(file.read_bytes(), file.name)
    except (RequestError, OSError) as error:
        return str(error)
    return ""


class Library:
    """The recordings in one folder, read once, when first asked for; it never changes anything.

    One that cannot be read is left out, and `problems` says why.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.folder = folder
        self._broken: list[Path] = []

    @cached_property
    def _recordings(self) -> dict[str, Recording]:
        found = {}
        for file in sorted(self.folder.glob(f"*{SUFFIX}")):
            try:
                recording = unpack(file.read_bytes(), file.name)
                found[recording.run.run] = recording
            except (RequestError, OSError):
                self._broken.append(file)
        return found

    @property
    def problems(self) -> list[str]:
        """Why files of the folder could not be read, a line each, in the language of who asks."""
        broken = self._broken if self._recordings is not None else []
        return [problem for file in broken if (problem := _problem(file))]

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
            if matches:
                several = tr(
                    "{count} runs begin with {run!r}: `python -m explorer runs list` shows those there are",
                    count=len(matches), run=run,
                )  # fmt: skip
                raise RequestError(several)
            raise RequestError(tr("no run {run!r}: `python -m explorer runs list` shows those there are", run=run))
        return matches[0]

    def records(self, run: str) -> list[Record]:
        """A run's records, in order."""
        recording = self.library.get(run)
        return self.store.records(run) if recording is None or self.store.get(run) else recording.records

    def has_weights(self, run: str) -> bool:
        """Whether the trained network itself can be looked into."""
        recording = self.library.get(run)
        return self.store.checkpoint(run).exists() or bool(recording and recording.final)

    def kept_steps(self, run: str) -> list[int]:
        """After how many steps, before the end, a run's network was kept too."""
        recording = self.library.get(run)
        own = self.store.kept_steps(run)
        if own or recording is None:
            return own
        return sorted(set(recording.weights) - {recording.run.config.training.steps})


def trained(catalogue: Catalogue, run: str, step: int | None = None) -> "Trained":
    """The trained network of a run of the catalogue, with `step` as it was then; refused if that was not kept."""
    from explorer.checkpoints import from_safetensors, load  # torch: not before a page's first paint

    checkpoint = catalogue.store.checkpoint(run, step)
    if checkpoint.exists():
        return load(checkpoint)[1]
    recording = catalogue.library.get(run)
    weights = None
    if recording is not None:
        weights = recording.final if step is None else recording.weights.get(step)
    if recording is None or weights is None:
        if step is None:
            raise RequestError(tr("the weights of run {run} were not kept: only its curves can be shown", run=run))
        raise RequestError(
            tr(
                "the weights of run {run} after {step:,} steps were not kept: only its curves can be shown",
                run=run,
                step=step,
            )  # fmt: skip
        )
    return from_safetensors(weights, recording.run.config.network, run)


def export(catalogue: Catalogue, run: str, curves_only: bool = False) -> bytes:
    """A run of the catalogue as a recording, with its weights if they are there and wanted.

    The final ones as they are; those from on the way in half precision, which takes half the room.
    """
    from explorer.checkpoints import to_safetensors

    exported, weights = catalogue.run(run), {}
    if catalogue.has_weights(run) and not curves_only:
        kept = {step: to_safetensors(trained(catalogue, run, step), half=True) for step in catalogue.kept_steps(run)}
        weights = {**kept, exported.config.training.steps: to_safetensors(trained(catalogue, run))}
    return pack(exported, catalogue.records(run), weights)


def add(store: Store, content: bytes, name: str) -> Run:
    """Put a recording into the store; a run that is there already stays as it is."""
    from explorer.checkpoints import from_safetensors, save

    recording = unpack(content, name)
    config = recording.run.config
    if store.get(config.run):
        raise RequestError(tr("run {run} is in the store already: delete it first to replace it", run=config.run))
    if recording.run.provenance is None:
        raise ExplorerError(tr("{file} does not say where its numbers come from", file=name))
    networks = {step: from_safetensors(weights, config.network, name) for step, weights in recording.weights.items()}
    paths = {step: store.checkpoint(config.run, None if step == config.training.steps else step) for step in networks}
    try:
        for step, trained in networks.items():
            save(paths[step], config, trained.network, trained.normalization)
        store.add(config, recording.run.provenance, recording.records, recording.run.label)
    except BaseException:
        for path in paths.values():
            path.unlink(missing_ok=True)
        raise
    return store.run(config.run)
