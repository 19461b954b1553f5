"""A recording is the run it was made of, or a clear refusal."""

import hashlib
import json
import math
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch

from explorer import recordings
from explorer.checkpoints import save
from explorer.config import RunConfig
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.data.prepared import Normalization, PreparedData, prepared
from explorer.errors import ExplorerError, RequestError
from explorer.evaluation import error, logits
from explorer.networks.build import build
from explorer.recordings import Catalogue, Library
from explorer.records import EvaluationRecord
from explorer.runs import DONE, Run, Store
from tests.test_runs import EVALUATION, PROVENANCE, STEP


@pytest.fixture
def finished(store: Store, tiny_run: RunConfig) -> str:
    (run,) = store.submit([tiny_run], "shapes")
    store.claim(0)
    store.append(run, EVALUATION)
    store.append(run, STEP)
    store.set_provenance(run, PROVENANCE)
    normalization = Normalization(torch.rand(3, 8, 8), torch.ones(3, 1, 1))
    save(store.checkpoint(run), tiny_run, build(tiny_run.network, seed=7), normalization)
    store.finish(run, DONE)
    return run


@pytest.fixture
def catalogue(store: Store, tmp_path: Path) -> Catalogue:
    return Catalogue(store, Library(tmp_path / "shipped"))


def _packed(content: bytes, change) -> bytes:
    """The recording packed again after `change` of its files: a whole zip, every checksum of the zip's own right."""
    source, target = zipfile.ZipFile(BytesIO(content)), BytesIO()
    files = {name: source.read(name) for name in source.namelist()}
    change(files)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in files.items():
            archive.writestr(name, inside)
    return target.getvalue()


def _altered(content: bytes, change) -> bytes:
    """The recording with another manifest."""

    def changed(files: dict) -> None:
        manifest = json.loads(files["manifest.json"])
        change(manifest)
        files["manifest.json"] = json.dumps(manifest).encode()

    return _packed(content, changed)


def _damaged(content: bytes) -> bytes:
    """The recording with one byte of its weights' data another."""
    at = content.index(b"weights.safetensors") + 2_000
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def test_a_run_travels_whole(catalogue: Catalogue, finished: str, tmp_path: Path, tiny_run: RunConfig) -> None:
    content = recordings.export(catalogue, finished)
    other = Store(tmp_path / "other")
    run = recordings.add(other, content, "file")
    assert run.config == tiny_run
    assert run.provenance == replace(PROVENANCE, origin="recorded")
    assert other.records(finished) == [EVALUATION, STEP]
    there = recordings.trained(Catalogue(other, Library(tmp_path / "none")), finished)
    here = recordings.trained(catalogue, finished)
    assert all(
        torch.equal(tensor, there.network.state_dict()[name]) for name, tensor in here.network.state_dict().items()
    )
    assert torch.equal(here.normalization.mean, there.normalization.mean)
    assert torch.equal(here.network.head.weight, build(tiny_run.network, seed=7).head.weight)


def test_a_shipped_recording_gives_what_the_store_gave(catalogue: Catalogue, finished: str, tmp_path: Path) -> None:
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "one.recording").write_bytes(recordings.export(catalogue, finished))
    shipped = Catalogue(Store(tmp_path / "empty"), Library(tmp_path / "shipped"))
    assert [run.run for run in shipped.runs()] == [finished]
    assert shipped.run(finished[:6]).provenance == replace(PROVENANCE, origin="recorded")
    assert shipped.records(finished) == [EVALUATION, STEP]
    assert shipped.has_weights(finished)
    assert recordings.trained(shipped, finished).network.config.depth == 8


def test_weights_from_on_the_way_travel_too(catalogue: Catalogue, finished: str, tmp_path: Path, tiny_run: RunConfig):
    def keep(step: int, seed: int) -> None:
        network = build(tiny_run.network, seed=seed)
        save(
            catalogue.store.checkpoint(finished, step),
            tiny_run,
            network,
            Normalization(torch.rand(3, 8, 8), torch.ones(3, 1, 1)),
        )

    keep(3, seed=1)
    keep(1, seed=2)
    assert catalogue.kept_steps(finished) == [1, 3]
    other = Store(tmp_path / "other")
    recordings.add(other, recordings.export(catalogue, finished), "file")
    there = Catalogue(other, Library(tmp_path / "none"))
    assert there.kept_steps(finished) == [1, 3]
    for step, seed in ((1, 2), (3, 1)):
        trained = recordings.trained(there, finished, step).network
        assert torch.equal(trained.conv.weight, build(tiny_run.network, seed=seed).conv.weight.half().float())
    with pytest.raises(RequestError, match="after 2 steps were not kept"):
        recordings.trained(there, finished, 2)
    other.delete(finished)
    assert not list(other.checkpoints.iterdir())


def test_only_finished_runs_are_exported(catalogue: Catalogue, tiny_run: RunConfig) -> None:
    catalogue.store.submit([replace(tiny_run, seed=9)], "shapes")
    with pytest.raises(RequestError, match="only a finished run"):
        recordings.export(catalogue, replace(tiny_run, seed=9).run)


@pytest.mark.threat("A file is too large, or unpacks to too much")
@pytest.mark.threat("A damaged recording passes as measured")
def test_what_is_damaged_newer_or_altered_is_refused_and_nothing_is_lost(catalogue: Catalogue, finished: str) -> None:
    content = recordings.export(catalogue, finished)
    store = catalogue.store

    def newer(manifest: dict) -> None:
        manifest["format"] = 99

    def altered(manifest: dict) -> None:
        manifest["config"]["seed"] = 5

    def incomplete(manifest: dict) -> None:
        del manifest["provenance"]

    def swapped(files: dict) -> None:
        files["records.json"] = files["records.json"].replace(b"0.9", b"0.1", 1)

    def climbing(files: dict) -> None:
        files["../../weights.safetensors"] = b"x"

    def without(files: dict) -> None:
        del files["weights.safetensors"]

    def exploding(files: dict) -> None:
        files["weights-1.safetensors"] = bytes(2**29)

    for damaged, says in (
        (content[: len(content) // 2], "not a whole recording"),
        (b"", "not a whole recording"),
        (_altered(content, newer), "format 99"),
        (_altered(content, altered), "altered"),
        (_altered(content, incomplete), "not a whole recording"),
        (_packed(content, swapped), "altered: records.json"),
        (_packed(content, without), "altered: weights.safetensors"),
        (_packed(content, climbing), "no part of a recording"),
        (_packed(content, exploding), "more than 512 MB"),
        (_damaged(content), "not a whole recording"),
    ):
        with pytest.raises(RequestError, match=says) as raised:
            recordings.add(store, damaged, "file")
        assert "\n" not in str(raised.value)
    with pytest.raises(RequestError, match="in the store already"):
        recordings.add(store, content, "file")
    assert store.records(finished) == [EVALUATION, STEP]


def _resigned(content: bytes, change) -> bytes:
    """The recording with other records and provenance, every checksum made anew: whoever uploads can do that."""

    def changed(files: dict) -> None:
        manifest, records = json.loads(files["manifest.json"]), json.loads(files["records.json"])
        change(manifest, records)
        files["records.json"] = json.dumps(records).encode()
        manifest["sha256"]["records.json"] = hashlib.sha256(files["records.json"]).hexdigest()
        files["manifest.json"] = json.dumps(manifest).encode()

    return _packed(content, changed)


@pytest.mark.threat("A recording says nonsense, and breaks the pages that show it")
@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("provenance", "date", 7), ("provenance", "seconds", "x"), ("provenance", "seconds", math.inf),
     ("provenance", "seconds", -1), ("provenance", "versions", 3), ("provenance", "versions", {"torch": 2}),
     ("provenance", "device", "x" * 1001), ("provenance", "origin", None),
     ("evaluation", "test_error", "bad"), ("evaluation", "test_error", None), ("evaluation", "training_error", 1.5),
     ("evaluation", "test_error", math.nan), ("evaluation", "step", True), ("evaluation", "step", 1.5),
     ("evaluation", "step", 10**9), ("evaluation", "seq", -1), ("evaluation", "responses", [{"layer": 1, "std": 1.0}]),
     ("evaluation", "responses", [{"layer": "conv", "std": "x", "predicted": None}]), ("evaluation", "gates", 5),
     ("step", "loss", "x"), ("step", "loss", math.inf), ("step", "epoch", []), ("step", "images_per_second", False)],
)  # fmt: skip
def test_values_of_the_wrong_kind_are_refused_though_their_checksum_is_right(
    catalogue: Catalogue, finished: str, part: str, name: str, value: object
) -> None:
    content, store = recordings.export(catalogue, finished), catalogue.store
    store.delete(finished)

    def change(manifest: dict, records: list) -> None:
        for values in [manifest["provenance"]] if part == "provenance" else records:
            if part == "provenance" or values["kind"] == part:
                values[name] = value

    with pytest.raises(RequestError, match=f"{name} is|after its last step|not a whole recording") as raised:
        recordings.add(store, _resigned(content, change), "file")
    assert len(str(raised.value)) < 300
    assert store.runs() == []
    assert list(store.checkpoints.iterdir()) == []


def test_a_recording_that_never_looked_at_the_network_is_refused(catalogue: Catalogue, finished: str) -> None:
    def change(manifest: dict, records: list) -> None:
        records[:] = [values for values in records if values["kind"] == "step"]

    with pytest.raises(RequestError, match="holds no records"):
        recordings.unpack(_resigned(recordings.export(catalogue, finished), change), "file")


def test_what_overflowed_in_a_layer_may_stay_so(catalogue: Catalogue, finished: str) -> None:
    def change(manifest: dict, records: list) -> None:
        records[0]["responses"] = [{"layer": "conv", "std": math.inf, "predicted": None}]

    changed = recordings.unpack(_resigned(recordings.export(catalogue, finished), change), "file")
    assert changed.records[0].responses[0].std == math.inf


def test_a_name_that_comes_along_is_one_short_line(catalogue: Catalogue, finished: str) -> None:
    content, store = recordings.export(catalogue, finished), catalogue.store
    store.delete(finished)
    long = _altered(content, lambda manifest: manifest.update(label="a\nb\u202e " + "x" * 10**5))
    run = recordings.add(store, long, "file")
    assert run.label == "a b " + "x" * 76


def test_a_step_with_more_digits_than_any_is_no_part_of_a_recording(catalogue: Catalogue, finished: str) -> None:
    def change(files: dict) -> None:
        files["weights-" + "9" * 5000 + ".safetensors"] = b"x"

    with pytest.raises(RequestError, match="no part of a recording"):
        recordings.unpack(_packed(recordings.export(catalogue, finished), change), "file")


def test_an_import_that_fails_half_way_leaves_no_weights_behind(
    catalogue: Catalogue, finished: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, store = recordings.export(catalogue, finished), catalogue.store
    store.delete(finished)

    def full(*_: object) -> None:
        raise ExplorerError("the disk is full")

    monkeypatch.setattr(Store, "add", full)
    with pytest.raises(ExplorerError, match="full"):
        recordings.add(store, content, "file")
    assert list(store.checkpoints.iterdir()) == []


def test_a_damaged_file_among_the_shipped_is_left_out_with_the_reason(
    catalogue: Catalogue, finished: str, tmp_path: Path
) -> None:
    content = recordings.export(catalogue, finished)
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "a.recording").write_bytes(content[:-100])
    (shipped / "b.recording").write_bytes(content)
    library = Library(shipped)
    assert [run.run for run in library.runs()] == [finished]
    (problem,) = library.problems
    assert problem.startswith("a.recording is not a whole recording")


def test_the_start_is_a_moment_too_and_was_not_kept(store: Store) -> None:
    shipped = Catalogue(store, Library())
    run = next(run.run for run in shipped.library.runs() if shipped.has_weights(run.run))
    assert 0 not in shipped.kept_steps(run)
    with pytest.raises(RequestError, match="after 0 steps were not kept"):
        recordings.trained(shipped, run, 0)


def test_weights_that_were_not_kept_are_refused(catalogue: Catalogue, finished: str) -> None:
    catalogue.store.checkpoint(finished).unlink()
    assert not catalogue.has_weights(finished)
    with pytest.raises(RequestError, match="not kept"):
        recordings.trained(catalogue, finished)


def test_every_shipped_recording_is_whole_and_says_where_it_comes_from() -> None:
    shipped = Library()
    assert shipped.runs(), "the first screen needs recordings"
    assert sum(file.stat().st_size for file in recordings.SHIPPED.iterdir()) < 30e6
    for run in shipped.runs():
        recording = shipped.get(run.run)
        assert recording is not None
        assert run.provenance is not None
        assert run.provenance.origin == "recorded"
        assert all([run.provenance.device, run.provenance.date, run.provenance.data, run.provenance.seconds > 0])
        assert [record.seq for record in recording.records] == list(range(len(recording.records)))
        assert recording.records[-1].step == run.config.training.steps
    assert not shipped.problems
    names = {run.config.network.name for run in shipped.runs()}
    assert {"plain-8", "plain-32", "resnet-8", "resnet-32"} <= names


def _check_weights(catalogue: Catalogue, run: Run, step: int | None, data: PreparedData) -> None:
    """The weights err as it was recorded when they were kept, but for the few that rounding them changes."""
    assert run.provenance
    precision = run.provenance.precision
    after = step or run.config.training.steps
    (record,) = [r for r in catalogue.records(run.run) if isinstance(r, EvaluationRecord) and r.step == after]
    trained, seen = recordings.trained(catalogue, run.run, step), record.training_images
    found = error(
        logits(trained.network, data.train_images[:seen], trained.normalization, precision), data.train_labels[:seen]
    )
    assert abs(found - record.training_error) <= 0.012, (run.label, step, found, record.training_error)
    if step is None and record.test_images <= 2_000:
        found = error(logits(trained.network, data.test_images, trained.normalization, precision), data.test_labels)
        assert abs(found - record.test_error) <= 0.006, (run.label, found, record.test_error)


def _check_shipped(store: Store, images: ImageSet) -> None:
    catalogue, checked = Catalogue(store, Library(store.folder / "none")), 0
    for file in sorted(recordings.SHIPPED.glob("*.recording")):
        run = recordings.add(store, file.read_bytes(), file.name)
        if run.config.data == images.name and catalogue.has_weights(run.run):
            data = prepared(images, run.config.training)
            for step in (*catalogue.kept_steps(run.run), None):
                _check_weights(catalogue, run, step, data)
            checked += 1
    assert checked >= 4


def test_weights_of_shipped_recordings_err_as_recorded_on_generated_shapes(store: Store) -> None:
    _check_shipped(store, sources.load("shapes"))


def test_weights_of_shipped_recordings_err_as_recorded_on_real_images(store: Store, real_cifar10: Path) -> None:
    _check_shipped(store, sources.load(str(real_cifar10)))
