"""What holds for every engine: it trains what is queued, outlives who asked, stops within a second, and goes on where
something was killed. Where Ray is not installed its half is skipped."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from explorer import device as devices
from explorer import jobs
from explorer.checkpoints import load
from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.data import sources
from explorer.jobs import Engine
from explorer.networks.build import build
from explorer.records import EvaluationRecord, StepRecord
from explorer.runs import DONE, FAILED, LOCAL, PAUSED, QUEUED, RAY, RUNNING, STOPPED, Store
from explorer.training import Training, train
from tests.places import Place, local, on_ray, ray_nodes
from tests.test_training import numbers

SHORT = TrainingConfig(
    steps=20, batch_size=8, schedule="cosine", augmentation="flip", image_size=8, train_images=100, test_images=50,
    clean_images=50, evaluations=2, precision="fp32",
)  # fmt: skip
LONG = replace(SHORT, steps=1_000_000)


def _config(seed: int, training: TrainingConfig = SHORT) -> RunConfig:
    return RunConfig(NetworkConfig(depth=8, width=4), training, sources.resolve("shapes").name, seed)


@pytest.fixture(scope="module", params=[LOCAL, RAY])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == LOCAL:
        yield local()
    else:
        with ray_nodes(tmp_path_factory.mktemp("ray"), count=1, cpus=devices.device().slots) as cluster:
            yield on_ray(cluster)


@pytest.fixture
def engine(store: Store, place: Place) -> Iterator[Engine]:
    yield place.engine(store)
    place.end(store)


def _until(what: Callable[[], bool], engine: Engine, seconds: float = 90) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds
        engine.tend()
        time.sleep(0.05)
    return time.monotonic() - began


def test_what_is_queued_is_trained_as_the_generator_would(store: Store, place: Place, engine: Engine) -> None:
    configs = [_config(0), _config(1)]
    runs = store.submit(configs, "shapes", place.name)
    records = list(jobs.follow(store, engine, runs))
    for config in configs:
        stored = store.run(config.run)
        assert (stored.state, stored.message) == (DONE, "")
        assert stored.provenance is not None
        assert stored.provenance.seconds > 0
        own = [record for run, record in records if run == config.run]
        assert own == store.records(config.run)
        model = build(config.network, config.seed)
        here = list(train(model, sources.load("shapes"), config.training, seed=config.seed))
        assert [r.training_error for r in own] == [r.training_error for r in here]
        saved, trained = load(store.checkpoint(config.run))
        assert saved == config
        assert trained.network.head.weight.equal(model.head.weight)


def test_a_stop_ends_a_run_and_the_next_begins(store: Store, place: Place, engine: Engine) -> None:
    long, short = store.submit([_config(0, LONG), _config(1)], "shapes", place.name)
    _until(lambda: len(store.records(long)) > 2, engine)
    store.stop([long])
    assert store.run(long).state == STOPPED

    def rests() -> bool:
        seen = len(store.records(long))
        time.sleep(0.7)
        return len(store.records(long)) == seen

    _until(rests, engine)
    assert len(store.records(long)) > 2
    _until(lambda: store.run(short).state == DONE, engine)
    assert store.run(long).state == STOPPED
    assert any(isinstance(record, EvaluationRecord) for record in store.records(long))


def test_a_stop_is_heard_where_the_server_runs_in_the_background_of_a_script(store: Store) -> None:
    """Such a server ignores interrupts, and what it starts inherits that."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        engine = local().engine(store)
        (long,) = store.submit([_config(0, LONG)], "shapes", LOCAL)
        _until(lambda: len(store.records(long)) > 2, engine)
        store.stop([long])
        _until(lambda: not any(worker.poll() is None for worker in engine.workers), engine)
    finally:
        signal.signal(signal.SIGINT, before)
        local().end(store)


@pytest.mark.threat("A training eats the memory")
def test_what_was_killed_is_replaced_and_the_run_gives_the_same_numbers(
    store: Store, place: Place, engine: Engine
) -> None:
    config = _config(0, replace(SHORT, steps=3000))
    (run,) = store.submit([config], "shapes", place.name)
    _until(lambda: len(store.records(run)) > 3, engine)
    first = [record.training_error for record in store.records(run)]
    for worker in place.trainers(store):
        os.kill(worker.pid, signal.SIGKILL)
    _until(lambda: store.run(run).state == DONE, engine)
    again = [record.training_error for record in store.records(run)]
    assert again[: len(first)] == first


def test_a_paused_run_goes_on_where_it_was(store: Store, place: Place, engine: Engine) -> None:
    config = _config(0, replace(SHORT, steps=3000))
    (run,) = store.submit([config], "shapes", place.name)
    _until(lambda: len(store.records(run)) > 3, engine)
    store.pause([run])
    _until(lambda: store.state(run).exists(), engine)
    _until(lambda: not place.trainers(store), engine)
    resting = store.records(run)
    assert store.run(run).state == PAUSED
    assert len(resting) < 60
    store.resume([run])
    _until(lambda: store.run(run).state == DONE, engine)
    assert store.records(run)[: len(resting)] == resting  # times and all: they were not made again
    training = Training(build(config.network, 0), sources.load("shapes"), config.training, seed=0)
    here, weights = [], {}
    while not training.finished:
        here += training.advance()
        if training.done in (750, 1500, 3000):  # a quarter of the way, half of it, all of it
            weights[training.done] = training.network.head.weight.detach().clone()
    assert numbers(store.records(run)) == numbers(here)
    kept = {step: store.checkpoint(run, None if step == 3000 else step) for step in weights}
    assert set(store.checkpoints.iterdir()) == set(kept.values())
    for step, path in kept.items():
        assert torch.equal(load(path)[1].network.head.weight, weights[step])


@pytest.mark.threat("Somebody floods the queue")
def test_long_runs_take_turns_and_let_short_ones_through(store: Store, place: Place) -> None:
    """More of them than slots: each gets further while none is done."""
    engine = place.engine(store, seconds=(15.0, 0.5))
    long = store.submit([_config(seed, LONG) for seed in range(devices.device().slots + 1)], "shapes", place.name)
    try:
        _until(lambda: all(len(store.records(run)) > 1 for run in long), engine)
        (short,) = store.submit([_config(9)], "shapes", place.name)
        _until(lambda: store.run(short).state == DONE, engine)
        assert not any(store.run(run).state in (DONE, FAILED) for run in long)
        counts = [len(store.records(run)) for run in long]
        _until(lambda: all(len(store.records(run)) > count for run, count in zip(long, counts, strict=True)), engine)
    finally:
        store.stop(long)
        place.end(store)


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system ranks processes otherwise")
def test_what_trains_lets_pages_go_first(store: Store, place: Place, engine: Engine) -> None:
    (run,) = store.submit([_config(0, LONG)], "shapes", place.name)
    _until(lambda: len(store.records(run)) > 1, engine)
    own = psutil.Process().nice()
    assert {process.nice() - own for process in place.trainers(store)} == {devices.NICENESS}
    groups = [Path(f"/proc/{process.pid}/autogroup") for process in place.trainers(store) if place.name == LOCAL]
    assert all(group.read_text().split()[-1] == str(devices.NICENESS) for group in groups if group.exists())


def test_what_trains_outlives_the_one_who_asked(store: Store, place: Place, engine: Engine) -> None:
    (run,) = store.submit([_config(0, replace(SHORT, steps=3000))], "shapes", place.name)
    _until(lambda: store.run(run).state == RUNNING, engine)
    started = place.started(store)
    assert started
    assert all(os.getsid(process.pid) != os.getsid(0) for process in started)
    other = place.engine(Store(store.folder))  # a restarted server
    other.tend()
    assert store.run(run).state == RUNNING
    _until(lambda: store.run(run).state == DONE, other)


def test_a_run_whose_images_have_changed_fails_in_one_line(store: Store, place: Place, engine: Engine) -> None:
    (run,) = store.submit([replace(_config(0), data="shapes@another")], "shapes", place.name)
    _until(lambda: store.run(run).state not in (QUEUED, RUNNING), engine)
    assert store.run(run).state == FAILED
    assert "shapes@another" in store.run(run).message
    assert "\n" not in store.run(run).message


def test_progress_and_the_time_left_come_from_the_records(store: Store) -> None:
    small, large = _config(0), _config(1)
    large = replace(large, network=NetworkConfig(depth=14, width=4))
    runs = store.submit([small, large], "shapes")
    store.claim(0)
    step = StepRecord(1, 10, 1.0, 2.0, 0.9, 0.1, 100.0, 4.0)
    store.append(runs[0], step)
    states = [store.run(run) for run in runs]
    now = jobs.progress(store, states)
    # the deep one costs 14/8 of the small one, of which a half is done in 4 seconds
    assert now.done == pytest.approx(0.5 * 8 / (8 + 14))
    assert (now.active, now.images_per_second) == (2, 100.0)
    assert jobs.remaining(store, states) == pytest.approx((0.5 * 8 + 14) / (0.5 * 8 / 4.0))


def test_the_estimate_scales_with_the_work(store: Store) -> None:
    (run,) = store.submit([_config(0)], "shapes")
    store.claim(0)
    from tests.test_runs import PROVENANCE

    store.set_provenance(run, PROVENANCE)  # three seconds
    finished = [store.run(run)]
    twice = replace(_config(1), training=replace(SHORT, steps=40))
    assert jobs.estimate([_config(1)], finished, slots=2) == pytest.approx(3.0)
    assert jobs.estimate([twice, twice, twice], finished, slots=2) == pytest.approx(9.0)
    assert jobs.estimate([twice], [], slots=2) is None


def test_a_run_can_start_from_a_trained_shallower_network(store: Store, place: Place, engine: Engine) -> None:
    training = replace(SHORT, test_images=50, clean_images=50)  # few enough to be looked at whole each time
    shallow = RunConfig(NetworkConfig(depth=8, width=4), training, sources.resolve("shapes").name)
    deep = replace(shallow, network=replace(shallow.network, depth=20), start=shallow.run)
    store.submit([shallow], "shapes", place.name)
    _until(lambda: store.run(shallow.run).state == DONE, engine)
    store.submit([deep], "shapes", place.name)
    _until(lambda: store.run(deep.run).state == DONE, engine)
    last = [record for record in store.records(shallow.run) if isinstance(record, EvaluationRecord)][-1]
    first = store.records(deep.run)[0]
    assert isinstance(first, EvaluationRecord)
    assert (first.step, first.training_error, first.test_error) == (0, last.training_error, last.test_error)
    added = {branch.block: branch.residual for branch in first.branches}
    assert added["stage1.0"] > 0
    assert added["stage1.1"] == added["stage3.2"] == 0
    assert store.run(deep.run).label == "resnet-20:width=4 · constructed start · seed 0"
    lost = replace(deep, start="0123456789abcdef")
    store.submit([lost], "shapes", place.name)
    _until(lambda: store.run(lost.run).state == FAILED, engine)
    assert "were not kept" in store.run(lost.run).message
