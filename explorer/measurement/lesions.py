"""What is lost when blocks are taken away from a trained network, or change places? Veit, Wilber, Belongie (2016).

A block is taken away by leaving what comes over its shortcut. A plain block has no shortcut; option A's stands in, so
that the shapes fit, which in blocks that keep their shape is the identity.
"""

import random
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from explorer.errors import RequestError
from explorer.evaluation import BATCH, wrong
from explorer.language import tr
from explorer.measurement.borrowing import borrowed
from explorer.measurement.subject import Subject
from explorer.network_config import is_entry
from explorer.networks.residual import ResidualNetwork
from explorer.networks.residual_blocks import Block
from explorer.records import Lesion, LesionRecord

Placing = Callable[[tuple[str, ...], str], str | None]
"""Which block stands where one stood, given a change; None where it was taken away."""


def single(subject: Subject) -> Iterator[LesionRecord]:
    """The error without each block in turn, over ever more images; what lies before the block is computed once."""
    network, blocks = subject.network, _blocks(subject.network)
    whole, without, seen = 0, [0] * len(blocks), 0
    with borrowed(network, own_statistics=False), torch.inference_mode():
        for seq, (images, labels) in enumerate(_batches(subject)):
            x = network.begin(images)
            for index, block in enumerate(blocks):
                without[index] += _wrong(network, block.without(x), blocks[index + 1 :], labels)
                x = block(x)
            whole += _wrong(network, x, [], labels)
            seen += len(labels)
            lesions = [
                Lesion((name,), count / seen) for name, count in zip(network.config.block_names, without, strict=True)
            ]
            yield LesionRecord(seq, seen, len(subject.labels), seen, whole / seen, tuple(lesions))


def several(subject: Subject, counts: Sequence[int], draws: int, seed: int = 0) -> Iterator[LesionRecord]:
    """The error without k blocks drawn by chance, `draws` times for each k of `counts`; never stage entries.

    A k that is more than there are is left out. Raises RequestError where all are.
    """
    able = [name for name in subject.network.config.block_names if not is_entry(name)]
    chance = random.Random(seed)
    if min(counts) > len(able):
        raise RequestError(
            tr(
                "{network} has {count} blocks that can be taken away: stage entries stay",
                network=subject.network.config.name,
                count=len(able),
            )  # fmt: skip
        )
    drawn = [tuple(sorted(chance.sample(able, k))) for k in counts if k <= len(able) for _ in range(draws)]
    yield from _one_by_one(subject, drawn, _without)


def swapped(subject: Subject, swaps: Sequence[int], draws: int, seed: int = 0) -> Iterator[LesionRecord]:
    """The error after k exchanges of two blocks of one stage drawn by chance; stage entries keep their places.

    Raises RequestError where no stage has two that could.
    """
    chance = random.Random(seed)
    orders = [_shuffled(subject.network.config.block_names, k, chance) for k in swaps for _ in range(draws)]
    yield from _one_by_one(subject, orders, lambda order, name: order[subject.network.config.block_names.index(name)])


def chosen(subject: Subject, removed: Sequence[str]) -> Iterator[LesionRecord]:
    """The error without just these blocks. Raises RequestError where one is not there."""
    whole, without = error_without(subject, ()), error_without(subject, removed)
    yield LesionRecord(0, 1, 1, len(subject.labels), whole, (Lesion(tuple(removed), without),))


def error_without(subject: Subject, removed: Sequence[str]) -> float:
    """The error without these blocks; without none of them, the whole network's. Refuses a block that is not there."""
    unknown = set(removed) - set(subject.network.config.block_names)
    if unknown:
        raise RequestError(
            tr(
                "{network} has no block {block!r}: the first is stage1.0",
                network=subject.network.config.name,
                block=min(unknown),
            )  # fmt: skip
        )
    return _error(subject, tuple(removed), _without)


def _one_by_one(subject: Subject, changes: Sequence[tuple[str, ...]], place: Placing) -> Iterator[LesionRecord]:
    """One change after the other, each on all images; the unchanged network first."""
    whole, found = error_without(subject, ()), []
    for seq, change in enumerate(changes):
        found.append(Lesion(change, _error(subject, change, place)))
        yield LesionRecord(seq, len(found), len(changes), len(subject.labels), whole, tuple(found))


def _error(subject: Subject, change: tuple[str, ...], place: Placing) -> float:
    network, mistakes = subject.network, 0
    by_name = dict(zip(network.config.block_names, _blocks(network), strict=True))
    with borrowed(network, own_statistics=False), torch.inference_mode():
        for images, labels in _batches(subject):
            x = network.begin(images)
            for name, block in by_name.items():
                there = place(change, name)
                x = by_name[there](x) if there else block.without(x)
            mistakes += _wrong(network, x, [], labels)
    return mistakes / len(subject.labels)


def _without(removed: tuple[str, ...], name: str) -> str | None:
    return None if name in removed else name


def _shuffled(order: Sequence[str], swaps: int, chance: random.Random) -> tuple[str, ...]:
    changed = list(order)
    stages = dict.fromkeys(name.split(".")[0] for name in order)
    movable = [
        [place for place, name in enumerate(order) if name.split(".")[0] == stage and not is_entry(name)]
        for stage in stages
    ]
    able = [places for places in movable if len(places) > 1]
    if not able:
        raise RequestError(tr("no stage has two blocks that could change places: take a deeper network"))
    for _ in range(swaps):
        one, other = chance.sample(chance.choice(able), 2)
        changed[one], changed[other] = changed[other], changed[one]
    return tuple(changed)


def _blocks(network: ResidualNetwork) -> list[Block]:
    return [block for stage in network.stages.values() for block in stage if isinstance(block, Block)]


def _batches(subject: Subject) -> Iterator[tuple[Tensor, Tensor]]:
    parts = zip(torch.split(subject.images, BATCH), torch.split(subject.labels, BATCH), strict=True)
    return ((subject.normalization(images), labels) for images, labels in parts)


def _wrong(network: ResidualNetwork, x: Tensor, rest: Sequence[Block], labels: Tensor) -> int:
    for block in rest:
        x = block(x)
    return int(wrong(network.end(x), labels).sum())
