"""Whatever is killed at whatever moment, the runs end with the bits of an undisturbed training.

A short form belongs to every run of the tests; `pytest -m chaos` kills sixty times. On Ray whole nodes die, too, and
new ones join.
"""

import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from explorer.checkpoints import load
from explorer.config import RunConfig, TrainingConfig, network
from explorer.data import sources
from explorer.device import device
from explorer.engines.ray import Cluster, RayEngine
from explorer.networks.build import build
from explorer.runs import DONE, FAILED, RAY, Store
from explorer.training import Training, kept_steps
from tests.places import RayNodes, drivers, ray_nodes, workers
from tests.test_training import numbers

ROOT = Path(__file__).resolve().parents[1]
_TRAINING = TrainingConfig(
    batch_size=32, schedule="cosine", learning_rate=0.05, augmentation="crop+flip", image_size=16, train_images=300,
    test_images=50, clean_images=50, evaluations=4,
)  # fmt: skip
_NETWORKS = ("resnet-8:width=4", "plain-8:width=4", "resnet-14:width=4,survival=0.6")
_SERVER = """
import sys, time
from pathlib import Path
from explorer.engines.local import LocalEngine
from explorer.runs import Store
engine = LocalEngine(Store(Path(sys.argv[1])), seconds=(0.2, 1.0))
while True:
    engine.tend()
    time.sleep(0.05)
"""


def _configs(steps: int) -> list[RunConfig]:
    name = sources.resolve("shapes").name
    return [RunConfig(network(one), replace(_TRAINING, steps=steps), name, seed=7) for one in _NETWORKS]


def _start(store: Store) -> psutil.Popen:
    return psutil.Popen([sys.executable, "-c", _SERVER, str(store.folder)], cwd=ROOT, stderr=subprocess.DEVNULL)


def _kill_until_done(store: Store, kills: int, chance: random.Random) -> int:
    """Kill workers and server in turns of chance, `kills` times, while the runs go on to their end; how often."""
    server, killed, pause = _start(store), 0, 0.0
    began = last = time.monotonic()
    while any(run.state != DONE for run in store.runs()):
        assert time.monotonic() - began < 60 + 15 * kills, (store.folder / "worker.log").read_text()[-2000:]
        time.sleep(0.02)
        failed = [run.run for run in store.runs() if run.state == FAILED]
        store.resume(failed)  # killed three times before it got anywhere: somebody presses the button again
        if killed < kills and time.monotonic() - last > pause:
            training = workers(store)
            victim = chance.choice([server, *training, *training])
            victim.kill()
            victim.wait(10)
            killed, last = killed + 1, time.monotonic()
            pause = chance.choice(
                [0.1, chance.uniform(0, 2), chance.uniform(2, 7)]
            )  # a worker starts in 2 to 4 seconds
        if not server.is_running() or server.status() == psutil.STATUS_ZOMBIE:
            server = _start(store)
    server.kill()
    server.wait()
    return killed


def _check(store: Store, configs: list[RunConfig]) -> None:
    images, machine = sources.load("shapes"), device()
    torch.set_num_threads(machine.threads)
    for config in configs:
        alone = Training(
            build(config.network, config.seed), images, config.training, seed=config.seed,
            precision=machine.precision(config.training.precision),
        )  # fmt: skip
        expected = []
        while not alone.finished:
            expected += alone.advance()
            if alone.done in kept_steps(config.training):
                _check_weights(store.checkpoint(config.run, alone.done), alone)
        assert numbers(store.records(config.run)) == numbers(expected)
        _check_weights(store.checkpoint(config.run), alone)
    every = [(config, step) for config in configs for step in (*kept_steps(config.training), None)]
    assert set(store.checkpoints.iterdir()) == {store.checkpoint(config.run, step) for config, step in every}


def _check_weights(path: Path, alone: Training) -> None:
    _, trained = load(path)
    for name, tensor in alone.network.state_dict().items():
        assert torch.equal(tensor, trained.network.state_dict()[name]), name


def _chaos(store: Store, steps: int, kills: int, seed: int) -> None:
    configs = _configs(steps)
    store.submit(configs, "shapes")
    try:
        assert _kill_until_done(store, kills, random.Random(seed)) == kills
    finally:
        for worker in workers(store):
            worker.kill()
    _check(store, configs)


def _kill_nodes_until_done(store: Store, cluster: RayNodes, kills: int, chance: random.Random) -> list[str]:
    """Kill nodes, trainers and the driver in turns of chance while the runs go on to their end; what was killed.

    A node that died is replaced at once.
    """
    engine, killed, pause = RayEngine(store, Cluster(cluster.address), seconds=(0.2, 1.0)), [], 0.0
    began = last = time.monotonic()
    while any(run.state != DONE for run in store.runs()):
        assert time.monotonic() - began < 120 + 40 * kills, (store.folder / "ray.log").read_text()[-2000:]
        engine.tend()
        time.sleep(0.05)
        store.resume([run.run for run in store.runs() if run.state == FAILED])
        if len(killed) < kills and time.monotonic() - last > pause and cluster.trainers():
            what = ("node", "node", "trainer", "driver")[len(killed) % 4]
            if what == "node":
                cluster.kill(chance.choice(cluster.nodes[1:]))
                cluster.add()
            for process in {"trainer": cluster.trainers()[:1], "driver": drivers(store)}.get(what, []):
                process.kill()
            killed.append(what)
            pause, last = chance.uniform(0, 12), time.monotonic()  # a trainer begins after 4 to 8 seconds
    return killed


def _chaos_on_ray(store: Store, folder: Path, steps: int, kills: int, seed: int) -> None:
    configs = _configs(steps)
    with ray_nodes(folder, count=2) as cluster:
        store.submit(configs, "shapes", RAY)
        try:
            assert len(_kill_nodes_until_done(store, cluster, kills, random.Random(seed))) == kills
        finally:
            for driver in drivers(store):
                driver.kill()
    _check(store, configs)


@pytest.mark.threat("A training eats the memory")
def test_a_few_kills_change_nothing(store: Store) -> None:
    _chaos(store, steps=1500, kills=4, seed=1)


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_sixty_kills_change_nothing(store: Store) -> None:
    _chaos(store, steps=15_000, kills=60, seed=2)


@pytest.mark.timeout(900)
def test_a_few_nodes_killed_change_nothing(store: Store, tmp_path: Path) -> None:
    _chaos_on_ray(store, tmp_path, steps=1500, kills=3, seed=1)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_thirty_kills_on_a_cluster_change_nothing(store: Store, tmp_path: Path) -> None:
    _chaos_on_ray(store, tmp_path, steps=15_000, kills=30, seed=2)
