"""What holds for Ray alone: who may join, what is open, what a dead node costs, what is said where it is missing."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from benchmarks.nodes import RayNodes, ray_status
from explorer import device as devices
from explorer import states
from explorer.__main__ import main
from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.data import sources
from explorer.data.image_set import ImageSet
from explorer.engines.ray import Cluster, RayEngine, known
from explorer.engines.ray_trainer import Trainer
from explorer.engines.stream import Begun, Finished, Kept, Left, Order, Recorded, Weights
from explorer.errors import ExplorerError, RequestError
from explorer.networks.build import build
from explorer.runs import DONE, LOCAL, QUEUED, RAY, RUNNING, Store
from explorer.training import train
from tests.places import ray_nodes
from tests.test_training import numbers

NOBODY = "127.0.0.1:1"
_LONG = TrainingConfig(
    steps=6000, batch_size=8, schedule="cosine", augmentation="flip", image_size=8, train_images=100, test_images=50,
    clean_images=50, evaluations=2, precision="fp32",
)  # fmt: skip

_ENDLESS = replace(_LONG, steps=1_000_000)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayNodes]:
    with ray_nodes(tmp_path_factory.mktemp("ray"), count=1) as nodes:
        yield nodes


@pytest.mark.parametrize("address", ["auto", "127.0.0.1", "ray://127.0.0.1:10001/", "", "host:port"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(RequestError, match="host:port"):
        Cluster(address)


@pytest.mark.parametrize("share", [(0.0, 0.0), (-1.0, 1.0), (1.0, -0.5)])
def test_a_training_takes_something(share: tuple[float, float]) -> None:
    with pytest.raises(RequestError, match="a part of a CPU or of a GPU"):
        Cluster(NOBODY, *share)


@pytest.mark.threat("A visitor points the server at a cluster of their own")
def test_the_cluster_is_the_operators_choice_and_remembered(store: Store) -> None:
    assert known(store, {}) is None
    RayEngine(store, Cluster(NOBODY, 0.5, 0.25))
    assert known(store, {}) == Cluster(NOBODY, 0.5, 0.25)
    named = {"EXPLORER_RAY_ADDRESS": "10.0.0.1:6379", "EXPLORER_RAY_GPUS": "0.5"}
    assert known(store, named) == Cluster("10.0.0.1:6379", 1.0, 0.5)
    with pytest.raises(RequestError, match="numbers"):
        known(store, named | {"EXPLORER_RAY_CPUS": "many"})


def test_without_ray_it_is_said_how_to_get_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(RequestError, match=r"pip install -r requirements-ray\.txt"):
        RayEngine(store, Cluster(NOBODY)).check()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--engine", "ray"], 2, "--address HOST:PORT"),
        (["--address", NOBODY], 2, "add --engine ray"),
        (["--engine", "ray", "--address", "nowhere"], 2, "host:port"),
        (["--engine", "ray", "--address", NOBODY], 1, "cannot be used"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line_and_nothing_is_queued(
    arguments: list[str], status: int, says: str, store: Store, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    assert main(["train", "resnet-8:width=4", "--data", "shapes", *arguments]) == status
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert store.runs() == []


def test_each_engine_takes_what_was_queued_for_it(store: Store, tiny_run: RunConfig) -> None:
    here, there = tiny_run, replace(tiny_run, seed=1)
    store.submit([here], "shapes")
    store.submit([there], "shapes", RAY)
    assert [store.queued(engine) for engine in (LOCAL, RAY)] == [1, 1]
    assert [run.run for slot in range(2) if (run := store.claim(slot))] == [here.run]
    taken = store.claim(100, RAY)
    assert taken is not None
    assert taken.run == there.run
    store.recover(None, RAY)
    assert (store.run(there.run).state, store.active(RAY), store.active(LOCAL)) == (QUEUED, 1, 1)


@pytest.fixture
def trainer(tiny_images: ImageSet, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """One in this process, which is left as it was: a trainer makes its own repeatable, and blind to other GPUs."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(devices, "make_repeatable", lambda _threads: None)
    found = Trainer(cpus=1.0, gpus=0.0)
    found.look_at(tiny_images)
    return found


def test_a_trainer_tells_what_the_generator_yields_and_goes_on_from_a_state(
    trainer: Trainer, tiny_images: ImageSet, tiny_run: RunConfig
) -> None:
    """No Ray, no store: it gets values and gives values."""
    model = build(tiny_run.network, tiny_run.seed)
    expected = numbers(train(model, tiny_images, tiny_run.training, seed=tiny_run.seed))
    told = list(trainer.train(Order(tiny_run, None, None, keep_seconds=0.0)))
    assert isinstance(told[0], Begun)
    assert told[0].seq == -1
    assert isinstance(told[-1], Finished)
    assert numbers([one for event in told if isinstance(event, Recorded) for one in event.records]) == expected
    assert [event.step for event in told if isinstance(event, Weights)] == [1, 3, None]
    kept = [event.state for event in told if isinstance(event, Kept)]
    half = len(kept) // 2
    again = list(trainer.train(Order(tiny_run, kept[half], None)))
    state = states.unpack(kept[half])
    assert state is not None
    assert isinstance(again[0], Begun)
    assert again[0].seq == state["progress"][1] >= 0
    rest = [one for event in again if isinstance(event, Recorded) for one in event.records]
    assert numbers(rest) == expected[-len(rest) :]


def test_a_trainer_leaves_after_the_step_with_its_state(trainer: Trainer, tiny_run: RunConfig) -> None:
    events = trainer.train(Order(tiny_run, None, None))
    next(events)
    trainer.leave()
    assert [type(event) for event in events] == [Kept, Left]


@pytest.mark.threat("A stranger joins the Ray cluster")
def test_only_who_has_the_token_joins(cluster: RayNodes) -> None:
    code = f"import ray; ray.init('{cluster.address}', logging_level='ERROR'); print('in')"
    assert ray_status(cluster, code).stdout.strip() == "in"
    other = ray_status(cluster, code, token="another-token-0123456789abcdefgh")
    assert other.returncode != 0
    assert other.stdout == ""


@pytest.mark.threat("A stranger joins the Ray cluster")
def test_no_port_of_a_cluster_is_open_to_others_and_there_is_no_dashboard(cluster: RayNodes) -> None:
    processes = [process for node in cluster.nodes for process in (node, *node.children(recursive=True))]
    listening = [
        connection.laddr
        for process in processes
        if process.is_running()
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    assert cluster.port in {address.port for address in listening}
    assert 8265 not in {address.port for address in listening}


def test_a_dead_node_costs_at_most_the_work_since_the_last_state(store: Store, cluster: RayNodes) -> None:
    config = RunConfig(NetworkConfig(depth=8, width=4), _LONG, sources.resolve("shapes").name)
    (run,) = store.submit([config], "shapes", RAY)
    engine = RayEngine(store, Cluster(cluster.address), seconds=(0.3, 60.0))
    _until(store, engine, lambda: store.newest(run)[1] > 5 and store.state(run).exists())
    cluster.kill(cluster.nodes[1])
    packed = states.read(store.state(run))
    assert packed is not None
    kept = states.unpack(packed)
    assert kept is not None
    cluster.add()
    seen = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.02):
            seen.append(store.newest(run)[1])

    watcher = threading.Thread(target=look)
    watcher.start()
    _until(store, engine, lambda: store.run(run).state == DONE)
    stop.set()
    watcher.join()
    assert min(seen) >= kept["progress"][1] > 0
    assert sum(later < sooner for sooner, later in pairwise(seen)) <= 1  # it went back once, if it had to at all


def test_half_a_cpu_each_lets_two_train_at_once(store: Store, cluster: RayNodes) -> None:
    data = sources.resolve("shapes").name
    configs = [RunConfig(NetworkConfig(depth=8, width=4), _ENDLESS, data, seed) for seed in range(2)]
    runs = store.submit(configs, "shapes", RAY)
    engine = RayEngine(store, Cluster(cluster.address, cpus=0.5))
    _until(store, engine, lambda: all(store.newest(run)[1] > 1 for run in runs))
    assert [store.run(run).state for run in runs] == [RUNNING, RUNNING]
    store.stop(runs)
    _until(store, engine, lambda: not cluster.trainers())


def test_half_a_gpu_each_lets_two_train_at_once_and_no_third(store: Store, cluster: RayNodes) -> None:
    """A node that says it has a GPU: Ray shares it out, whatever there is to be found when a training begins."""
    node = cluster.add(cpus=4, gpus=1)
    data = sources.resolve("shapes").name
    configs = [RunConfig(NetworkConfig(depth=8, width=4), _ENDLESS, data, seed) for seed in range(3)]
    runs = store.submit(configs, "shapes", RAY)
    engine = RayEngine(store, Cluster(cluster.address, cpus=0.5, gpus=0.5))
    _until(store, engine, lambda: sum(store.newest(run)[1] > 1 for run in runs) == 2)
    time.sleep(2)
    assert sorted(store.run(run).state for run in runs) == [QUEUED, RUNNING, RUNNING]
    assert len(cluster.trainers()) == 2
    store.stop(runs)
    _until(store, engine, lambda: not cluster.trainers())
    cluster.kill(node)


@pytest.mark.timeout(600)
def test_a_head_that_dies_costs_at_most_the_work_since_the_last_state(store: Store, tmp_path: Path) -> None:
    """Ray gives up after a minute; the run waits in the queue meanwhile, and goes on when there is a cluster again."""
    with ray_nodes(tmp_path, count=1) as cluster:
        config = RunConfig(NetworkConfig(depth=8, width=4), _ENDLESS, sources.resolve("shapes").name)
        (run,) = store.submit([config], "shapes", RAY)
        engine = RayEngine(store, Cluster(cluster.address), seconds=(0.3, 60.0))
        _until(store, engine, lambda: store.newest(run)[1] > 5 and store.state(run).exists())
        cluster.kill(cluster.nodes[0])
        _until(store, engine, lambda: store.run(run).state == QUEUED and bool(engine.problem), problems=True)
        assert re.search(f"the Ray cluster at {cluster.address} cannot be used: [A-Z]", engine.problem)
        packed = states.read(store.state(run))
        assert packed is not None
        kept = states.unpack(packed)
        assert kept is not None
        seq, before = kept["progress"][1], store.records(run)
        assert seq > 0
        for node in list(cluster.nodes):
            cluster.kill(node)
        cluster.add(cpus=0)
        cluster.add()
        _until(store, engine, lambda: store.newest(run)[1] > seq + 2, problems=True)
        assert store.records(run)[: seq + 1] == before[: seq + 1], "times and all: they were not made again"
        store.stop([run])
        _until(store, engine, lambda: not cluster.trainers(), problems=True)


def test_a_driver_whose_cluster_is_gone_says_so_and_the_runs_stay_queued(
    store: Store, tiny_run: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "nobody-asks-for-this-0123456789ab")
    (run,) = store.submit([tiny_run], "shapes", RAY)
    engine = RayEngine(store, Cluster(NOBODY))
    with pytest.raises(ExplorerError, match=f"the Ray cluster at {NOBODY} cannot be used") as told:
        _until(store, engine, lambda: False)
    assert "\n" not in str(told.value)
    assert engine.problem == str(told.value)
    assert store.run(run).state == QUEUED
    assert json.loads((store.folder / "ray.json").read_text())["address"] == NOBODY


def _until(
    store: Store, engine: RayEngine, what: Callable[[], bool], seconds: float = 150, problems: bool = False
) -> None:
    """Tend until it is so; with `problems`, although the cluster cannot be used now and then."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, (store.folder / "ray.log").read_text()[-2000:]
        with suppress(*([ExplorerError] if problems else [])):
            engine.tend()
        time.sleep(0.05)
