"""A recording is the run it was made of, or a clear refusal."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch

from explorer import recordings
from explorer.checkpoints import save
from explorer.config import RunConfig
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.networks.build import build
from explorer.recordings import Catalogue, Library
from explorer.runs import DONE, Store
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


def _altered(content: bytes, change) -> bytes:
    source, target = zipfile.ZipFile(BytesIO(content)), BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            text = source.read(name)
            if name == "manifest.json":
                manifest = json.loads(text)
                change(manifest)
                text = json.dumps(manifest).encode()
            archive.writestr(name, text)
    return target.getvalue()


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


def test_only_finished_runs_are_exported(catalogue: Catalogue, tiny_run: RunConfig) -> None:
    catalogue.store.submit([replace(tiny_run, seed=9)], "shapes")
    with pytest.raises(RequestError, match="only a finished run"):
        recordings.export(catalogue, replace(tiny_run, seed=9).run)


def test_what_is_damaged_newer_or_altered_is_refused_and_nothing_is_lost(catalogue: Catalogue, finished: str) -> None:
    content = recordings.export(catalogue, finished)
    store = catalogue.store

    def newer(manifest: dict) -> None:
        manifest["format"] = 99

    def altered(manifest: dict) -> None:
        manifest["config"]["seed"] = 5

    def incomplete(manifest: dict) -> None:
        del manifest["provenance"]

    for damaged, says in (
        (content[: len(content) // 2], "not a whole recording"),
        (b"", "not a whole recording"),
        (_altered(content, newer), "format 99"),
        (_altered(content, altered), "altered"),
        (_altered(content, incomplete), "not a whole recording"),
    ):
        with pytest.raises(RequestError, match=says) as raised:
            recordings.add(store, damaged, "file")
        assert "\n" not in str(raised.value)
    with pytest.raises(RequestError, match="in the store already"):
        recordings.add(store, content, "file")
    assert store.records(finished) == [EVALUATION, STEP]


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
    names = {run.config.network.name for run in shipped.runs()}
    assert {"plain-8", "plain-32", "resnet-8", "resnet-32"} <= names
