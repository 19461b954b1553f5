"""Where everything of an architecture drawing stands: rows of one output size, columns of one network.

Lengths are pixels at scale 1. Blocks that match across networks stand at one height, as plain-34 and residual-34
do in Fig. 3.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from explorer.outline import Outline
from explorer.plots.graph import BOXES, Arc, DrawnBlock, Graph, Node, compact_text

TEXT, SMALL, TITLE = 12, 11.5, 15
LINE = 14
MARGIN = 52
"""Left of the columns, for output sizes and stage labels."""
BOX, BRANCH_BOX, COMPACT_BOX = 24, 20, 16
GAP, BRANCH_GAP = 24, 14
BRANCH_SPACE = 6
JOIN_GAP, RADIUS, SMALL_RADIUS = 17, 6.5, 4.5
LEAD, LEAD_TEXT = 10, 24
"""Above a block's first box, without and with BN and ReLU."""
TAIL, TAIL_TEXT = 6, 14
FOLD_PAD = 9
"""Between a fold and its outline."""
LANE = 20
"""From a box to the arc beside it."""
BAND_PAD, BAND_GAP = 9, 5
SIDE = 9
"""Beside a column."""
GATE = 44
"""Left of the boxes, where a block has a gate."""
COMPACT_LEAD, COMPACT_GAP = 7, 3

Key = tuple[int, int]
"""Output size, and how many parts of the network had it before."""


@dataclass(frozen=True)
class Place:
    """A block on the page: it begins at `top`, its first box after `lead`, its join and tail take `rest`."""

    drawn: DrawnBlock
    top: float
    above: float
    """Room above, for the outline and the badge of a fold."""
    below: float
    lead: float
    body: float
    rest: float

    @property
    def boxes(self) -> float:
        """Where the first box begins."""
        return self.top + self.above + self.lead

    @property
    def bottom(self) -> float:
        """Where the next one may begin."""
        return self.boxes + self.body + self.rest + self.below


@dataclass(frozen=True)
class Row:
    """What has one output size, across all networks."""

    key: Key
    label: str
    top: float
    bottom: float


@dataclass(frozen=True)
class Column:
    """One network: its blocks' places from top to bottom, and its width shared out."""

    outline: Outline
    graph: Graph
    left: float
    centre: float
    box: float
    """The width of its boxes."""
    right: float
    places: tuple[Place, ...] = ()

    @property
    def lane(self) -> float:
        """Where the shortcuts run."""
        return self.centre + self.box / 2 + LANE


@dataclass(frozen=True)
class Layout:
    """The whole drawing."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    image: float
    """The height of the images."""
    bottom: float
    """Where the last row ends."""
    width: float


def layout(outlines: Sequence[Outline], graphs: Sequence[Graph], top: float) -> Layout:
    """Place the networks side by side, the images at `top`."""
    columns = list(_columns(outlines, graphs))
    parts = [_parts(outline, graph) for outline, graph in zip(outlines, graphs, strict=True)]
    keys = sorted({key for part in parts for key in part}, key=lambda key: (-key[0], key[1]))
    y, rows = top + BOX + BAND_PAD, []
    places: list[list[Place]] = [[] for _ in columns]
    for key in keys:
        placed = _aligned([part.get(key, []) for part in parts], y + BAND_PAD)
        bottom = max(column[-1].bottom for column in placed if column) + BAND_PAD
        rows.append(Row(key, _label(outlines, parts, key), y, bottom))
        for column, found in zip(places, placed, strict=True):
            column.extend(found)
        y = bottom + BAND_GAP
    full = tuple(replace(column, places=tuple(found)) for column, found in zip(columns, places, strict=True))
    return Layout(full, tuple(rows), top, y, columns[-1].right)


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in the wider of the common system fonts."""
    return size * sum(_WIDTHS.get(letter, 0.68 if letter.isupper() else 0.57) for letter in text)


_WIDTHS = {**dict.fromkeys("iljftr,.'/:;|() ·-", 0.31), **dict.fromkeys("mwMW", 0.85), "×": 0.6, "−": 0.6}


def wrapped(text: str, width: float, size: float = SMALL) -> list[str]:
    """Words in lines no wider than `width`, if no word is."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def title(outline: Outline) -> tuple[str, str]:
    """A network's name and, apart, what is special about it."""
    base, _, options = outline.network.partition(":")
    base, _, design = base.partition("@")
    return base, ", ".join(filter(None, [design.replace("imagenet", "ImageNet"), options.replace(",", ", ")]))


ARC_TEXT = 52
"""The width in which the text beside an arc is broken into lines."""


def _columns(outlines: Sequence[Outline], graphs: Sequence[Graph]) -> Iterator[Column]:
    left = float(MARGIN)
    for outline, graph in zip(outlines, graphs, strict=True):
        box = _box_width(outline, graph.nodes)
        half = max(box, _branches_width(outline)) / 2
        before, after = _beside(graph.arcs)
        before, after = half + before, max(half + after, box / 2 + after)
        missing = max(0.0, text_width(title(outline)[0], TITLE) + 8 - before - after)
        right = left + SIDE + before + after + missing
        yield Column(outline, graph, left, left + SIDE + before, box, right)
        left = right


def _box_width(outline: Outline, nodes: Iterable[Node]) -> float:
    """Of the widest text on the main path, whether or not its stage is unfolded."""
    boxed = BOXES | {"annotation"}
    joins = {block.names[0]: block.join for stage in outline.stages for block in stage.blocks}
    texts = [node.text for node in nodes if node.kind in boxed and joins.get(node.block) != "concatenate"]
    many = (block for stage in outline.stages for block in stage.blocks if len(block.names) > 11)
    return max([92.0, *(text_width(text, TEXT) + 12 for text in (*texts, *map(compact_text, many)))])


def branch_width(branches: int) -> float:
    """All branches of an Inception block side by side."""
    return branches * BRANCH + (branches - 1) * BRANCH_SPACE


BRANCH = 60
"""The width of a branch's boxes: `1×1, 192`."""


def _branches_width(outline: Outline) -> float:
    joined = [block for stage in outline.stages for block in stage.blocks if block.join == "concatenate"]
    return max((branch_width(len(block.paths)) for block in joined), default=0.0)


def _beside(arcs: Iterable[Arc]) -> tuple[float, float]:
    """The room left and right of the boxes that shortcuts and gates take."""
    beside = [arc for arc in arcs if arc.kind != "flow"]
    if not beside:
        return 0.0, float(SIDE)
    texts = [line for arc in beside if arc.kind != "gate" for line in wrapped(arc_text(arc), ARC_TEXT)]
    projected = 18 if any(arc.kind == "projection" for arc in beside) else 5
    lines = max((text_width(line, SMALL) for line in texts), default=0.0)
    gate = GATE if any(arc.kind == "gate" for arc in beside) else 0
    return float(gate), LANE + max(projected, 5) + lines + 6


def arc_text(arc: Arc) -> str:
    """What stands beside a shortcut."""
    return ", ".join(filter(None, [arc.factor, "" if arc.kind == "projection" and arc.text == "BN" else arc.text]))


def _parts(outline: Outline, graph: Graph) -> dict[Key, list[DrawnBlock]]:
    """A network's blocks by the row in which they stand."""
    parts: dict[Key, list[DrawnBlock]] = {}
    seen: dict[int, int] = defaultdict(int)
    last: tuple[str, int] | None = None
    for drawn in graph.blocks:
        size = drawn.block.output[1]
        if (drawn.stage, size) != last:
            last = (drawn.stage, size)
            key = (size, seen[size])
            seen[size] += 1
        parts.setdefault(key, []).append(drawn)
    return parts


def _label(outlines: Sequence[Outline], parts: Sequence[dict[Key, list[DrawnBlock]]], key: Key) -> str:
    """What Table 1 calls the row, from the first network of which it has a name."""
    for outline, part in zip(outlines, parts, strict=True):
        labels = {stage.name: stage.label for stage in outline.stages}
        if key in part and labels[part[key][0].stage]:
            return labels[part[key][0].stage]
    return ""


def _aligned(columns: Sequence[list[DrawnBlock]], top: float) -> list[list[Place]]:
    """A row's blocks from `top` on; networks whose blocks have as many boxes each share their heights."""
    twins: dict[tuple[float, ...], list[int]] = defaultdict(list)
    sizes = [[_size(drawn) for drawn in column] for column in columns]
    for index, column in enumerate(sizes):
        twins[tuple(place.body for place in column)].append(index)
    placed: list[list[Place]] = [[] for _ in columns]
    for alike in twins.values():
        for index in alike:
            y = top
            for number, place in enumerate(sizes[index]):
                placed[index].append(_spaced(place, [sizes[other][number] for other in alike], y))
                y = placed[index][-1].bottom
    return placed


def _spaced(place: Place, alike: Sequence[Place], top: float) -> Place:
    names = ("above", "below", "lead", "rest")
    return replace(place, top=top, **{name: max(getattr(other, name) for other in alike) for name in names})


def _size(drawn: DrawnBlock) -> Place:
    """A block's lengths; where it stands is not known yet."""
    block = drawn.block
    above, below = FOLD_PAD * drawn.begins_repeat, FOLD_PAD * drawn.folded
    if drawn.compact:
        join = 2 * SMALL_RADIUS + 1 if block.join != "none" else 0
        return Place(drawn, 0, above, below, COMPACT_LEAD, COMPACT_BOX, COMPACT_GAP + join)
    paths = [[layer.kind in BOXES for layer in path.layers] for path in block.paths]
    if block.join == "concatenate":
        longest = max(sum(path) for path in paths)
        body = longest * BRANCH_BOX + (longest - 1) * BRANCH_GAP
        return Place(drawn, 0, above, below, LEAD + 12, body, BRANCH_GAP + BRANCH_BOX + TAIL)
    boxes = max(sum(paths[0]), 1)
    lead = LEAD_TEXT if any(paths[0]) and not paths[0][0] else LEAD
    tail = TAIL_TEXT if block.after or (block.join == "none" and any(paths[0]) and not paths[0][-1]) else TAIL
    gate = 8 if block.join == "gate" else 0
    join = JOIN_GAP + gate + 2 * RADIUS if block.join != "none" else 0
    return Place(drawn, 0, above, below, lead, boxes * BOX + (boxes - 1) * GAP, join + tail)
