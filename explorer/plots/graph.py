"""A network as nodes and arcs, as Fig. 3 draws it: what is drawn, not where.

BN, ReLU and the factor of a Scale are no nodes: they are written on the arc on which they act, as Fig. 2 does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from explorer.outline import Block, Layer, Outline, Path, Stage

COMPACT_ABOVE = 12
"""A stage of more blocks, unfolded, shows its repeats as one row each."""
DOTTED = frozenset({"padded", "projection"})
"""Shortcuts across which the shape changes (Fig. 3)."""
SHORTCUTS = DOTTED | {"identity"}
BOXES = frozenset({"convolution", "linear", "pooling"})
"""Kinds of layers that are nodes."""


@dataclass(frozen=True)
class Node:
    """A box or a join."""

    id: str
    """A layer's name; a fold's first block, a compact block's name; `stage1.0.add` of a join; image, output."""
    kind: str
    """image · convolution · linear · pooling · annotation (a block of BN and ReLU alone) · compact (a whole block)
    · fold · add · gate · concatenate · output"""
    text: str
    block: str = ""
    """The block that it belongs to."""
    path: int = 0
    """Which of the block's paths it stands on, 0 the main one."""


@dataclass(frozen=True)
class Arc:
    """Data that flow from one node to another."""

    kind: str
    """flow · identity · padded · projection · gate"""
    source: str
    target: str
    text: str = ""
    """What acts on the way: `BN, ReLU`; beside a shortcut `zeros for 16 channels`, `× 0.5`."""
    factor: str = ""
    """By what a gate multiplies it: `T`, `1 − T`."""
    block: str = ""
    """The block that its text belongs to."""

    @property
    def dotted(self) -> bool:
        """Whether the shape changes on the way."""
        return self.kind in DOTTED


@dataclass(frozen=True)
class DrawnBlock:
    """A block as it is drawn: alone, for all that are alike, or as one row."""

    name: str
    stage: str
    block: Block
    """Of the outline; its layers have the names of its first."""
    repeat: int = 1
    """The length of the row of alike blocks that begins here."""
    folded: bool = False
    """Whether it stands for all of them."""
    compact: bool = False

    @property
    def begins_repeat(self) -> bool:
        """Whether the stage folds or unfolds here."""
        return self.repeat > 1

    def layer_name(self, layer: Layer) -> str:
        """The layer's name in this very block."""
        return layer.name.replace(self.block.names[0], self.name, 1)


@dataclass(frozen=True)
class Graph:
    """All of one network, in the order of the signal."""

    network: str
    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    blocks: tuple[DrawnBlock, ...]


def graph(outline: Outline, unfolded: frozenset[str]) -> Graph:
    """The nodes and arcs of a network; `unfolded` names the stages whose repeats are drawn one by one."""
    blocks = tuple(drawn for stage in outline.stages for drawn in drawn_blocks(stage, unfolded))
    building = _Building()
    building.node("image", "image", "image {1}×{2}".format(*outline.image))
    for drawn in blocks:
        building.add(drawn)
    building.step("output", "output", f"{outline.stages[-1].output[0]:,} classes")
    return Graph(outline.network, tuple(building.nodes), tuple(building.arcs), blocks)


def drawn_blocks(stage: Stage, unfolded: frozenset[str]) -> Iterator[DrawnBlock]:
    """A stage's blocks, repeats as one unless the stage is unfolded."""
    compact = sum(len(block.names) for block in stage.blocks) > COMPACT_ABOVE
    for block in stage.blocks:
        first, *others = block.names
        repeat = len(block.names)
        if stage.name not in unfolded or not others:
            yield DrawnBlock(first, stage.name, block, repeat, folded=repeat > 1)
            continue
        yield DrawnBlock(first, stage.name, block, repeat, compact=compact)
        yield from (DrawnBlock(name, stage.name, block, compact=compact) for name in others)


def compact_text(block: Block) -> str:
    """A block's main path in one line: `2 × 3×3, 64`, `1×1, 3×3, 1×1, 256`."""
    layers = [layer for layer in block.paths[0].layers if layer.kind in BOXES]
    kernels = [kernel(layer) for layer in layers]
    alike = len(set(kernels)) == 1 and len(kernels) > 1
    text = f"{len(kernels)} × {kernels[0]}" if alike else ", ".join(kernels)
    stride = "".join(sorted({found for layer in layers for found in re.findall(r", /\d+", layer.text)}))
    return f"{text}, {block.output[0]}{stride}"


def kernel(layer: Layer) -> str:
    """`1×1` of `1×1 conv, 64, /2`; the whole text of what has no kernel."""
    return layer.text.partition(" conv")[0]


@dataclass
class _Building:
    """The nodes and arcs so far, the node that the signal has left last, and what acts on it since."""

    nodes: list[Node] = field(default_factory=list)
    arcs: list[Arc] = field(default_factory=list)
    last: str = ""
    pending: list[str] = field(default_factory=list)
    owner: str = ""

    def node(self, name: str, kind: str, text: str, block: str = "", path: int = 0) -> None:
        self.nodes.append(Node(name, kind, text, block, path))
        self.last = name

    def step(self, name: str, kind: str, text: str, block: str = "", path: int = 0, arc: Arc | None = None) -> None:
        """A node behind the last one, and the arc between them."""
        self.arcs.append(self._arc(name, block, arc or Arc("flow", "", "")))
        self.node(name, kind, text, block, path)

    def _arc(self, target: str, block: str, like: Arc) -> Arc:
        """The arc from the last node, which takes the pending text along."""
        owner = self.owner if self.pending else block
        text = ", ".join([*self.pending, *filter(None, [like.text])])
        self.pending = []
        return replace(like, source=self.last, target=target, text=text, block=owner)

    def layers(self, drawn: DrawnBlock, path: Path, index: int, arc: Arc | None = None) -> None:
        """A path's layers, from the last node on."""
        for layer in path.layers:
            if layer.kind in BOXES:
                self.step(drawn.layer_name(layer), layer.kind, layer.text, drawn.name, index, arc)
            else:
                self.act(drawn, layer)

    def act(self, drawn: DrawnBlock, layer: Layer) -> None:
        """A layer that is written on the next arc."""
        self.owner = drawn.name
        self.pending.append(layer.text)

    def add(self, drawn: DrawnBlock) -> None:
        if drawn.folded:
            self.nodes.append(Node(drawn.name, "fold", f"× {drawn.repeat}", drawn.name))
        if drawn.compact:
            self.compact(drawn)
        elif drawn.block.join == "none":
            self.single(drawn)
        else:
            self.joined(drawn)
        for layer in () if drawn.compact else drawn.block.after:
            self.act(drawn, layer)

    def single(self, drawn: DrawnBlock) -> None:
        """A block of one path."""
        layers = drawn.block.paths[0].layers
        if any(layer.kind in BOXES for layer in layers):
            self.layers(drawn, drawn.block.paths[0], 0)
        else:
            self.step(drawn.name, "annotation", ", ".join(layer.text for layer in layers), drawn.name)

    def compact(self, drawn: DrawnBlock) -> None:
        """A block as one node, and its join."""
        entry = self.last
        self.step(drawn.name, "compact", compact_text(drawn.block), drawn.name)
        if drawn.block.join == "none":
            return
        join = f"{drawn.name}.{drawn.block.join}"
        for path in drawn.block.paths[1:]:
            self.arcs.append(_shortcut(path, entry, join, drawn))
        self.step(join, drawn.block.join, "+", drawn.name, arc=Arc("flow", "", "", factor=_factor(drawn.block, 0)))

    def joined(self, drawn: DrawnBlock) -> None:
        """A block whose paths part at its entry and meet at its join."""
        entry, join = self.last, f"{drawn.name}.{drawn.block.join}"
        before, owner = self.pending, self.owner
        ends = []
        for index, path in enumerate(drawn.block.paths):
            self.last, self.pending, self.owner = entry, (before if index == 0 else []), owner
            like = _shortcut(path, entry, join, drawn)
            if not path.layers:
                ends.append(like)
                continue
            self.layers(drawn, path, index, None if like.kind == "flow" else replace(like, text=""))
            ends.append(self._arc(join, drawn.name, like))
        self.arcs += ends
        text = "concatenate" if drawn.block.join == "concatenate" else "+"
        self.node(join, drawn.block.join, text, drawn.name)


def _shortcut(path: Path, source: str, target: str, drawn: DrawnBlock) -> Arc:
    """The arc by which a path reaches the join."""
    flows = path.kind in ("residual", "branch")
    text = "" if path.kind == "gate" else path.text
    kind = "flow" if flows else path.kind
    return Arc(kind, source, target, text, _factor(drawn.block, drawn.block.paths.index(path)), drawn.name)


def _factor(block: Block, path: int) -> str:
    """y = T·H + (1 − T)·x (Srivastava et al. 2015)."""
    if block.join != "gate" or block.paths[path].kind == "gate":
        return ""
    return "1 − T" if block.paths[path].kind in SHORTCUTS else "T"
