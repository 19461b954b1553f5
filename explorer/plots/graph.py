"""A network as nodes and arcs: what its drawing shows and what it folds, before anything has a place.

Convolutions, poolings and linear layers are nodes. What has no box of its own (BN, ReLU) stands on an arc.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from explorer.language import later, told, tr
from explorer.outline import Block, Layer, Outline, Path, Stage

ROWS_FROM = 13
"""From so many equal blocks in a row on, an unfolded stage shows each as one compact row."""

_BOXED = ("convolution", "linear", "pooling")
_STRAIGHT = ("residual", "branch")  # kinds of paths that run through the column; the others pass beside it
_JOINS = {"add": "+", "gate": later("gate"), "concatenate": later("concatenate")}
_ENDS = {"stem": later("stem"), "head": later("head")}
_ZEROS = re.compile(r"zeros for (\d+) channels")


@dataclass(frozen=True)
class Node:
    """A box or a point on a path of the signal."""

    id: str
    """Unique in the network and the same however it is folded: `stage1.0.conv1`; of a row or fold, the block's name."""
    kind: str
    """image · layer · pooling · row (a block's layers in one box) · split (where paths part) · add · gate ·
    concatenate · fold (stands for equal blocks) · output"""
    text: str
    stage: str = ""
    block: str = ""
    """The name of the block that it belongs to."""
    lane: int = 0
    """Which of the block's straight paths it stands on."""
    lanes: int = 1
    """How many there are side by side: more than one in an Inception block."""


@dataclass(frozen=True)
class Arc:
    """From one node to the next, or past some of them to where the paths meet."""

    source: str
    target: str
    kind: str
    """flow · identity · padded · projection · gate"""
    text: str = ""
    """What stands beside it: `BN, ReLU`, `zeros for 16 channels`."""
    factor: str = ""
    """What a gate multiplies it by: `T`, `1 − T`."""
    layers: tuple[Layer, ...] = ()
    """What stands on it: normalisations, activations, the layers of a projection or a gate."""

    @property
    def dotted(self) -> bool:
        """Whether the shape changes on the way, as Fig. 3 draws it."""
        return self.kind in ("padded", "projection")


@dataclass(frozen=True)
class Part:
    """A block as it is drawn: one, or one that stands for all that are equal to it."""

    id: str
    """The name of the block, or of the first that it stands for."""
    stage: str
    block: Block
    """`block.names` are all that are equal and follow each other."""
    names: tuple[str, ...]
    """Those that it stands for: more than one if they are folded."""
    compact: bool = False
    """Whether its layers share one box."""

    @property
    def folded(self) -> bool:
        """Whether it stands for several."""
        return len(self.names) > 1

    @property
    def begins_unfolded(self) -> bool:
        """Whether it is the first of equal blocks that are drawn one by one."""
        return not self.folded and len(self.block.names) > 1 and self.id == self.block.names[0]


@dataclass(frozen=True)
class Graph:
    """A network as its drawing shows it, in the order of the signal."""

    outline: Outline
    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    parts: tuple[Part, ...]

    @cached_property
    def of_block(self) -> dict[str, list[Node]]:
        """The nodes of each block, by the block's name."""
        nodes = defaultdict(list)
        for node in self.nodes:
            nodes[node.block].append(node)
        return nodes

    @cached_property
    def arriving(self) -> dict[str, list[Arc]]:
        """The arrows that end at each node."""
        arcs = defaultdict(list)
        for arc in self.arcs:
            if arc.kind == "flow":
                arcs[arc.target].append(arc)
        return arcs

    @cached_property
    def shortcuts(self) -> dict[str, list[Arc]]:
        """What else ends at each join, from the inside: a gate stands inside of what it gates."""
        arcs = defaultdict(list)
        for arc in sorted(self.arcs, key=lambda arc: arc.kind != "gate"):
            if arc.kind != "flow":
                arcs[arc.target].append(arc)
        return arcs


def graph(outline: Outline, unfolded: frozenset[str]) -> Graph:
    """What to draw of a network; in the stages named by `unfolded`, equal blocks are drawn one by one."""
    parts = [part for stage in outline.stages for part in _parts(stage, stage.name in unfolded)]
    start, end = (tr("image"), tr("{count:,} classes", count=outline.stages[-1].output[0]))
    if outline.part:
        start, end = (tr("{count:,} channels", count=shape[0]) for shape in (outline.image, outline.stages[-1].output))
    trace = _Trace(start)
    for part in parts:
        trace.follow(part)
    trace.end(end)
    return Graph(outline, tuple(trace.nodes), tuple(trace.arcs), tuple(parts))


def stage_title(name: str) -> str:
    """What a stage without a name in Table 1 is called: `stage 1`, `stem`."""
    return told(_ENDS[name]) if name in _ENDS else tr("stage {number}", number=name.removeprefix("stage"))


def path_text(path: Path) -> str:
    """What stands beside a path, in the reader's language."""
    return _ZEROS.sub(lambda found: tr("zeros for {number} channels", number=found[1]), path.text)


def boxed(layers: Iterable[Layer]) -> list[Layer]:
    """The layers that have a box of their own."""
    return [layer for layer in layers if layer.kind in _BOXED]


def straight(block: Block) -> list[Path]:
    """The paths that run through the column, side by side if there are several."""
    return [path for path in block.paths if path.kind in _STRAIGHT]


def runs(stage: Stage) -> Iterator[Block]:
    """The stage's blocks, equal ones that follow each other held once even where the outline holds the first apart.

    Where a block is a single layer, as in VGG, every one stays.
    """
    for (_, repeats), blocks in groupby(stage.blocks, lambda block: (_nameless(block), _may_repeat(block))):
        if repeats:
            first, *others = blocks
            yield replace(first, names=sum((block.names for block in others), first.names))
        else:
            yield from blocks


def renamed(layer: Layer, block: Block, name: str) -> Layer:
    """A layer of the block's first name as a layer of the one called `name`."""
    return replace(layer, name=name + layer.name.removeprefix(block.names[0]))


def row_text(path: Path) -> str:
    """All layers of a path in a few characters: `2 × 3×3, 64`, `1×1 3×3 1×1, 256`."""
    layers = boxed(path.layers)
    kernels = [layer.text.split(" ")[0] for layer in layers]
    short = f"{len(kernels)} × {kernels[0]}" if len(set(kernels)) == 1 else " ".join(kernels)
    return f"{short}, {layers[-1].output[0]}"


def _may_repeat(block: Block) -> bool:
    return sum(len(boxed(path.layers)) for path in block.paths) > 1


def _nameless(block: Block) -> Block:
    def bare(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        return tuple(renamed(layer, block, "") for layer in layers)

    paths = tuple(replace(path, layers=bare(path.layers)) for path in block.paths)
    return replace(block, names=(), paths=paths, after=bare(block.after))


def _parts(stage: Stage, unfolded: bool) -> Iterator[Part]:
    for block in runs(stage):
        if unfolded:
            compact = len(block.names) >= ROWS_FROM
            yield from (Part(name, stage.name, block, (name,), compact) for name in block.names)
        else:
            yield Part(block.names[0], stage.name, block, block.names)


class _Trace:
    """Follows the signal, block by block, and notes the nodes and arcs on its way."""

    def __init__(self, start: str) -> None:
        self.nodes = [Node("image", "image", start)]
        self.arcs: list[Arc] = []
        self.last = "image"
        self.waiting: tuple[Layer, ...] = ()
        """Layers without a box since the last node: they stand on the next arc."""

    def follow(self, part: Part) -> None:
        """Go through one block."""
        if part.folded:
            self.nodes.append(Node(part.id, "fold", f"× {len(part.names)}", part.stage, part.id))
        if part.block.join == "none":
            self._path(part, part.block.paths[0], 0)
        else:
            self._joined(part)
        if not part.compact:  # a row has no room for notes: they are on its card
            self.waiting += self._own(part, part.block.after)

    def end(self, text: str) -> None:
        """Arrive at the classes, or at what a part puts out."""
        self._step(Node("output", "output", text))

    def _joined(self, part: Part) -> None:
        block = part.block
        split = Node(f"{part.id}.split", "split", "", part.stage, part.id)
        join = Node(f"{part.id}.join", block.join, told(_JOINS[block.join]), part.stage, part.id)
        self._step(split)
        arrivals = []
        for lane, path in enumerate(straight(block)):
            self.last, self.waiting = split.id, ()
            self._path(part, path, lane)
            arrivals.append(replace(self._arc(join.id), factor="T" if block.join == "gate" else ""))
        self.nodes.append(join)
        self.arcs += arrivals
        self.arcs += [self._beside(part, path) for path in block.paths if path.kind not in _STRAIGHT]
        self.last, self.waiting = join.id, ()

    def _path(self, part: Part, path: Path, lane: int) -> None:
        if part.compact:
            self._step(Node(part.id, "row", row_text(path), part.stage, part.id))
            return
        lanes = len(straight(part.block))
        for layer in self._own(part, path.layers):
            if layer.kind in _BOXED:
                kind = "pooling" if layer.kind == "pooling" else "layer"
                text = layer.text.replace(" conv", "") if lanes > 1 else layer.text  # boxes side by side are narrow
                self._step(Node(layer.name, kind, text, part.stage, part.id, lane, lanes))
            else:
                self.waiting += (layer,)

    def _beside(self, part: Part, path: Path) -> Arc:
        factor = "1 − T" if part.block.join == "gate" and path.kind != "gate" else ""
        own = self._own(part, path.layers)
        return Arc(f"{part.id}.split", f"{part.id}.join", path.kind, path_text(path), factor, own)

    def _own(self, part: Part, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        return tuple(renamed(layer, part.block, part.id) for layer in layers)

    def _step(self, node: Node) -> None:
        self.arcs.append(self._arc(node.id))
        self.nodes.append(node)
        self.last, self.waiting = node.id, ()

    def _arc(self, target: str) -> Arc:
        words = ", ".join(layer.text for layer in self.waiting)
        return Arc(self.last, target, "flow", words, layers=self.waiting)
