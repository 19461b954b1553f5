"""Captured steps: on a CUDA GPU where there is one, and on a stand-in that keeps to a CUDA graph's rules."""

import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from explorer import captured, states, training
from explorer.captured import Captured, captures
from explorer.config import RunConfig, network
from explorer.data.image_set import ImageSet
from explorer.networks import fused
from explorer.networks.build import build
from explorer.records import Record
from explorer.training import Training
from tests.conftest import TINY_TRAINING
from tests.test_training import numbers

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
LONGER = replace(TINY_TRAINING, steps=12, evaluations=3)
HOST_READS = {"aten::_local_scalar_dense", "aten::equal", "aten::is_nonzero", "aten::nonzero"}


class StandIn:
    """A CUDA graph on the CPU: captured, each operation's numbers and places are fixed and nothing is computed."""

    made: list["StandIn"]

    def __init__(self) -> None:
        self.operations: list[Callable[[], None]] = []
        self.replays = 0
        StandIn.made.append(self)

    def replay(self) -> None:
        self.replays += 1
        with torch.no_grad():
            for operation in self.operations:
                operation()


class _Capturing(TorchDispatchMode):
    def __init__(self, graph: StandIn) -> None:
        super().__init__()
        self.graph = graph

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in HOST_READS:
            raise RuntimeError("operation not permitted when stream is capturing")
        returns = func._schema.returns
        if func.namespace == "profiler":
            return func(*args, **kwargs)
        if returns and all(r.alias_info is not None and not r.alias_info.is_write for r in returns):
            return func(*args, **kwargs)  # a view: the same memory
        found = func(*tree_map_only(Tensor, Tensor.clone, args), **tree_map_only(Tensor, Tensor.clone, kwargs))
        if any(r.alias_info is not None for r in returns):  # in place: the tensor that is changed is given back
            found = args[0]
        self.graph.operations.append(partial(_repeat, partial(func, *args, **kwargs), found))
        return found


def _repeat(operation: Callable[[], Any], places: Any) -> None:
    for place, value in zip(tree_leaves(places), tree_leaves(operation()), strict=True):
        if place is not value:
            place.copy_(value)


@contextmanager
def _capture(graph: StandIn, pool: None, stream: object, mode: str) -> Iterator[None]:
    with _Capturing(graph):
        yield


@contextmanager
def _stream(stream: object) -> Iterator[None]:
    yield


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[StandIn]:
    """The stand-in's graphs; trainings on this CPU capture with it, by torch's modules as on a GPU."""
    StandIn.made = []
    monkeypatch.setattr(torch.cuda, "CUDAGraph", StandIn)
    monkeypatch.setattr(torch.cuda, "Stream", object)
    monkeypatch.setattr(torch.cuda, "stream", _stream)
    monkeypatch.setattr(torch.cuda, "graph", _capture)
    monkeypatch.setattr(training, "captures", lambda network, device: captures(network, "cuda"))
    monkeypatch.setattr(fused, "_compiles", lambda: False)
    return StandIn.made


def _trained(run: RunConfig, images: ImageSet, **more: Any) -> tuple[list[Record], Training]:
    found = Training(build(run.network, run.seed), images, run.training, seed=run.seed, **more)
    return _rest(found), found


def _rest(found: Training) -> list[Record]:
    records: list[Record] = []
    while not found.finished:
        records += found.advance()
    return records


def _same(one: Training, other: Training) -> bool:
    pairs = zip(_tensors(one), _tensors(other), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def _tensors(found: Training) -> list[Tensor]:
    state = found.state()
    return [*state["network"].values(), *state["momenta"]]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "name", ["plain-8", "resnet-8", "resnet-8,shortcut=C", "preresnet-8", "highway-8", "skipinit-8"]
)
def test_a_captured_training_has_the_bits_of_one_taken_step_by_step(
    name: str, precision: str, graphs: list[StandIn], tiny_images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunConfig(network(name.replace("-8", "-8:width=4")), LONGER, tiny_images.name)
    records, mine = _trained(run, tiny_images, precision=precision)
    assert [graph.replays for graph in graphs] == [12 - 3]
    monkeypatch.setattr(captured, "_FIRST", 100)
    expected, usual = _trained(run, tiny_images, precision=precision)
    assert len(graphs) == 1
    assert numbers(records) == numbers(expected)
    assert _same(mine, usual)


def test_one_that_goes_on_elsewhere_or_again_comes_to_the_same_bits(
    graphs: list[StandIn], tiny_images: ImageSet, tiny_run: RunConfig
) -> None:
    run = replace(tiny_run, training=LONGER)
    records, whole = _trained(run, tiny_images)
    half = Training(build(run.network, run.seed), tiny_images, run.training, seed=run.seed)
    before: list[Record] = []
    while half.done < 6:
        before += half.advance()
    state = states.pack(half.state())
    half.advance()
    other = Training(build(run.network, run.seed), tiny_images, run.training, seed=run.seed)
    for training_ in (other, half):  # `half` has captured a step and goes on with it
        training_.restore(states.unpack(state) or {})
        assert numbers(before + _rest(training_)) == numbers(records)
        assert _same(training_, whole)
    assert [graph.replays for graph in graphs] == [9, 10, 3]


def test_a_step_that_reads_a_value_on_the_way_is_taken_as_it_is(
    graphs: list[StandIn], caplog: pytest.LogCaptureFixture
) -> None:
    total = torch.zeros(2)

    def step(value: Tensor) -> Tensor:
        total.add_(value)
        return total * float(value.sum())

    _expect_running_sums(Captured(step, [total]), total)
    assert "not permitted when stream is capturing" in caplog.text


def test_a_step_that_would_not_be_the_same_again_is_found_out(
    graphs: list[StandIn], caplog: pytest.LogCaptureFixture
) -> None:
    """It takes a number from the CPU, which a graph would hold on to."""
    total, seen = torch.zeros(2), [0]

    def step(value: Tensor) -> Tensor:
        seen[0] += 1
        total.add_(value)
        return total * float(seen[0] if seen[0] > 3 else 2)

    tried = Captured(step, [total])
    for _ in range(6):
        tried(torch.ones(2))
    assert total.tolist() == [6, 6]
    assert [graph.replays for graph in graphs] == [1]
    assert "other bits" in caplog.text


def test_what_is_captured_takes_its_inputs_anew(graphs: list[StandIn], caplog: pytest.LogCaptureFixture) -> None:
    total = torch.zeros(2)

    def step(value: Tensor) -> Tensor:
        total.add_(value)
        return total * value.sum()

    with caplog.at_level(logging.WARNING):
        _expect_running_sums(Captured(step, [total]), total)
    assert [graph.replays for graph in graphs] == [4]
    assert not caplog.text


def _expect_running_sums(step: Callable[[Tensor], Tensor], total: Tensor) -> None:
    expected = torch.zeros(2)
    for number in range(1, 8):
        value = torch.tensor([float(number), 1.0])
        expected += value
        assert step(value).tolist() == (expected * (number + 1)).tolist()
        assert total.tolist() == expected.tolist()


def test_only_on_a_gpu_and_only_what_does_the_same_each_time() -> None:
    for name, device, expected in (
        ("resnet-8", "cuda", True), ("plain-8", "cuda", True), ("highway-8", "cuda", True),
        ("resnet-8", "cpu", False), ("resnet-8", "mps", False),
        ("resnet-8:dropout=0.5", "cuda", False), ("resnet-8:survival=0.5", "cuda", False),
    ):  # fmt: skip
        assert captures(build(network(name)), device) is expected, (name, device)
    saving = build(network("resnet-8"))
    saving.recompute = 2
    assert not captures(saving, "cuda")


def test_a_training_with_a_graph_is_gone_at_once_too(
    graphs: list[StandIn], tiny_images: ImageSet, tiny_run: RunConfig
) -> None:
    gc.disable()
    try:
        _, found = _trained(replace(tiny_run, training=LONGER), tiny_images)
        gone = [weakref.ref(part) for part in (found, found.network)]
        graphs.clear()
        del found
        assert [part() for part in gone] == [None, None]
    finally:
        gc.enable()


@on_a_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["plain-20", "resnet-20", "preresnet-20", "highway-20"])
def test_on_a_gpu_steps_are_replayed_and_have_the_usual_bits(
    name: str, precision: str, tiny_images: ImageSet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    torch.use_deterministic_algorithms(True)
    try:
        run = RunConfig(network(name), LONGER, tiny_images.name)
        records, mine = _trained(run, tiny_images, precision=precision, device="cuda")
        assert not caplog.text
        monkeypatch.setattr(captured, "_FIRST", 100)
        expected, usual = _trained(run, tiny_images, precision=precision, device="cuda")
        assert numbers(records) == numbers(expected)
        assert _same(mine, usual)
    finally:
        torch.use_deterministic_algorithms(False)


@on_a_gpu
def test_on_a_gpu_no_step_between_two_records_waits_for_it(tiny_images: ImageSet, tiny_run: RunConfig) -> None:
    run = replace(tiny_run, training=replace(LONGER, steps=2000, evaluations=1))
    found = Training(build(run.network), tiny_images, run.training, device="cuda")
    while found.done < 20:  # captured by then, and just after a record: one comes every 20 steps
        found.advance()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(19):
            assert found.advance() == []
    finally:
        torch.cuda.set_sync_debug_mode("default")
