"""Where everything in a drawing of networks stands: a column for each, the data flowing down, equal sizes level.

As in Fig. 3 of the paper, what has one output size stands in one row across all columns. Lengths are CSS pixels at
natural size; columns are so narrow that two fit on a phone with all text at 10 pixels or more.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from explorer.language import tr
from explorer.outline import Outline, Shape
from explorer.plots.graph import Arc, Graph, Node, Part, boxed, stage_title

BOX = 22
TEXT, NOTE, TITLE = 12.5, 12.0, 15.0
"""Sizes of text: in boxes, beside arrows, of a network's name."""
NOTE_ASIDE = 6
"""From an arrow to the note beside it."""
SHEET = 3
"""By how much each lower sheet of a fold's pile shows."""
LINE = 14
"""From line to line of notes."""
PAD = 8
"""Left of the boxes: brackets and badges."""
ARC_BOX = 30
"""Width of a box on a shortcut."""

_LONG, _SHORT = 20, 11  # arrows with and without a note
_HEIGHTS = {"split": 0, "add": 16, "gate": 20, "concatenate": 20}
_COMPACT_HEIGHTS = {"split": 0, "row": 18, "add": 10, "gate": 10}
_COMPACT_GAP, _COMPACT_TAIL = 7, 4
_LEAD, _FOLD_LEAD, _AFTER_FOLD, _BETWEEN, _AROUND_FOLD = 4, 9, 3 + 2 * SHEET, 2, 9
_BAND_TOP, _BAND_BOTTOM, _BAND_GAP = 14, 6, 6
_MARGIN, _COLUMN_GAP, _LANE_GAP = 10, 5, 8
_ARC, _NEXT_ARC = 17, 34  # beside the boxes: the first shortcut, the next one
_GATE, _END = 44, 92  # widths of a gate, of the image and the classes
_WIDEST_LABEL = 46  # more text beside an arc takes another line


@dataclass(frozen=True)
class Spot:
    """A node in its place, by its middle."""

    node: Node
    x: float
    y: float
    width: float
    height: float

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Place:
    """A block's share of its column."""

    part: Part
    top: float
    bottom: float
    shade: int
    """The row's rank: later rows are drawn darker."""


@dataclass(frozen=True)
class Column:
    """One network."""

    graph: Graph
    left: float
    right: float
    axis: float
    box: float
    """Width of a box on the axis."""
    lane: float
    """Width of a box where paths are side by side."""
    across: float
    """Width of all that is not beside: a box, or the paths side by side."""
    noted: float
    """How far to the right of the axis notes and boxes go."""
    first_arc: float
    """How far to the right of the axis the innermost shortcuts run."""
    title: tuple[str, ...] = ()
    spots: dict[str, Spot] = field(default_factory=dict)
    places: tuple[Place, ...] = ()

    def shortcut(self, rank: int) -> float:
        """Where the first, second … shortcut of a block runs down."""
        return self.axis + self.first_arc + rank * _NEXT_ARC

    def edges(self, part: Part) -> tuple[float, float]:
        """Left and right of a block with its shortcuts."""
        reach = _reach(self, self.graph.shortcuts[f"{part.id}.join"])
        return self.axis - self.across / 2 - PAD + 2, max(self.axis + self.noted, reach) + 4


@dataclass(frozen=True)
class Row:
    """What has one output size, in all columns."""

    top: float
    bottom: float
    label: tuple[str, ...]
    """The stage's name, if all columns agree on it, and its output."""


@dataclass(frozen=True)
class Layout:
    """A whole drawing."""

    width: float
    height: float
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    image: Row
    """Where the images stand, above the first row."""


@dataclass(frozen=True)
class _Segment:
    """Parts of one stage that follow each other and have one output size."""

    stage: str
    label: str
    output: Shape
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Stack:
    """A part laid out by itself, in heights from its own top."""

    middles: dict[str, tuple[float, float]]
    """Of each node the middle and the height."""
    height: float


_Row = list[_Segment | None]


def arranged(graphs: Sequence[Graph]) -> Layout:
    """Give every node of the networks its place."""
    networks = [list(_segments(one)) for one in graphs]
    rows = _aligned(networks, by_size=len({one.outline.image for one in graphs}) == 1)
    labels = _labels(rows)
    columns = _columns(graphs, _MARGIN + max(_width(line, NOTE) for label in labels for line in label) + 4)
    top = _MARGIN + TITLE + (max(len(column.title) for column in columns) - 1) * (TITLE + 3) + 2 * LINE + 13
    image = Row(top, top + BOX, tuple(_output_label(one.outline.image for one in graphs)))
    joined = any(one.shortcuts for one in graphs)
    stacks = [{part.id: _stack(one, part, joined) for part in one.parts} for one in graphs]
    bands = list(_bands(rows, stacks, labels, image.bottom + _SHORT))
    output = bands[-1].bottom + _SHORT + 3 + BOX / 2
    filled = tuple(
        _filled(column, own, [row[index] for row in rows], bands, (image.top + BOX / 2, output))
        for index, (column, own) in enumerate(zip(columns, stacks, strict=True))
    )
    return Layout(columns[-1].right + 5, output + BOX / 2 + _MARGIN, filled, tuple(bands), image)


def label_lines(arc: Arc) -> list[str]:
    """What stands beside a shortcut, in lines; of a gate its name alone, its equation is on the card."""
    lines = [f"× ({arc.factor})"] if arc.factor else []
    for word in re.findall(r"× \S+|\S+", arc.text.split(" = ")[0]):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, NOTE) <= _WIDEST_LABEL and lines[-1][-1] not in ",)":
            lines[-1] = longer
        else:
            lines.append(word)
    return [line.removesuffix(",") for line in lines]


def counts(outline: Outline) -> tuple[str, str]:
    """The two lines under a network's name."""
    unit, letter = (1e9, "G") if outline.macs >= 1e9 else (1e6, "M")
    macs = f"{outline.macs / unit:.2f} {letter}"
    return tr("{count:,} parameters", count=outline.parameters), tr("{count} multiply-adds", count=macs)


def _width(text: str, size: float) -> float:
    """An estimate that holds for Arial and all that are narrower, and for Hangul."""
    widths = dict.fromkeys(" ,./()-:il", 0.28) | dict.fromkeys("cs", 0.5)
    return size * sum(widths.get(one, 1.0 if one >= "\u1100" else 0.7 if one.isupper() else 0.56) for one in text)


def _segments(one: Graph) -> Iterator[_Segment]:
    labels = {stage.name: stage.label for stage in one.outline.stages}
    drawn = {node.block for node in one.nodes}
    parts = [part for part in one.parts if part.id in drawn]
    for (stage, _), group in groupby(parts, lambda part: (part.stage, part.block.output[1])):
        own = tuple(group)
        yield _Segment(stage, labels[stage], own[-1].block.output, own)


def _aligned(networks: list[list[_Segment]], by_size: bool) -> list[_Row]:
    """Rows of one segment, or none, of each network: of one size, or the first beside the first and so on."""
    keyed = [dict(_keys(own) if by_size else (((index, 0), s) for index, s in enumerate(own))) for own in networks]
    return [[own.get(key) for own in keyed] for key in sorted(set().union(*keyed))]


def _keys(own: list[_Segment]) -> Iterator[tuple[tuple[int, int], _Segment]]:
    """By size, the largest first; stages of one size by their order."""
    for side, group in groupby(own, lambda segment: segment.output[1]):
        for index, segment in enumerate(group):
            yield (-side, index), segment


def _labels(rows: list[_Row]) -> list[tuple[str, ...]]:
    present = [[segment for segment in row if segment] for row in rows]
    agreed = all(len({segment.stage for segment in row}) == 1 for row in present)
    labels: list[tuple[str, ...]] = []
    shown: set[str] = set()
    for index, row in enumerate(present):
        first = row[0]
        begins = index == 0 or present[index - 1][0].stage != first.stage
        label = next((segment.label for segment in row if segment.label), "")  # Table 1 names those that it has
        if agreed and not label:
            label = stage_title(first.stage)
        seen = not begins if agreed else label in shown
        shown.add(label)
        labels.append((*([label] if label and not seen else []), *_output_label(segment.output for segment in row)))
    return labels


def _output_label(outputs: Iterable[Shape]) -> list[str]:
    """All sizes, and the channels if they agree."""
    shapes = list(outputs)
    sizes = [f"{side}×{side}" for side in dict.fromkeys(shape[1] for shape in shapes)]
    channels = {shape[0] for shape in shapes}
    return sizes + [f"{number} ch" for number in channels if len(channels) == 1 and sizes != ["1×1"]]


def _columns(graphs: Sequence[Graph], left: float) -> list[Column]:
    box = max(_widest(node for node in one.nodes if node.lanes == 1) for one in graphs)
    columns: list[Column] = []
    for one in graphs:
        columns.append(_column(one, box, columns[-1].right + _COLUMN_GAP if columns else left))
    return columns


def _column(one: Graph, box: float, left: float) -> Column:
    lane = _widest(node for node in one.nodes if node.lanes > 1)
    across = max(box, *(node.lanes * (lane + _LANE_GAP) - _LANE_GAP for node in one.nodes if node.lanes > 1), 0)
    notes = max((_width(arc.text, NOTE) for arc in one.arcs if arc.kind == "flow"), default=0)
    noted = max(across / 2, NOTE_ASIDE + notes)
    on_arc = any(boxed(arc.layers) for arcs in one.shortcuts.values() for arc in arcs)
    first_arc = max(across / 2 + _ARC, noted + (ARC_BOX / 2 + 2 if on_arc else 5))
    column = Column(one, left, left, left + PAD + across / 2, box, lane, across, noted, first_arc)
    reach = max(column.edges(part)[1] + (2 * SHEET if part.folded else 0) for part in one.parts)
    words = max(_width(line, NOTE) for line in counts(one.outline))
    right = max(reach, left + PAD + words)
    name = one.outline.network.replace("@imagenet", "")  # the size of the image says it
    name = f"{name} {one.outline.part}".strip()
    return replace(column, right=right, title=tuple(_title(name, right - left - PAD - TITLE / 2)))


def _widest(nodes: Iterable[Node]) -> float:
    return 6 + max((_width(node.text, TEXT) for node in nodes if node.kind != "concatenate"), default=0)


def _reach(column: Column, arcs: Iterable[Arc]) -> float:
    """How far right a block's shortcuts go, with what stands beside them."""
    reach = 0.0
    for rank, arc in enumerate(arcs):
        words = max((_width(line, NOTE) for line in label_lines(arc)), default=-3)
        reach = max(reach, column.shortcut(rank) + (ARC_BOX / 2 if boxed(arc.layers) else 0) + 4 + words)
    return reach


def _title(name: str, width: float) -> list[str]:
    lines = [""]
    for piece in re.findall(r"@?[^:,@ -]+[:, -]?", name):
        if lines[-1] and _width((lines[-1] + piece).rstrip(), TITLE) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _stack(one: Graph, part: Part, joined: bool) -> _Stack:
    """Lay out one part; where others join, a plain one leaves room for the split and the join it does not have."""
    heights = _COMPACT_HEIGHTS if part.compact else _HEIGHTS
    alone = joined and part.block.join == "none" and len(boxed(part.block.layers)) > 1
    start = _lead(part, alone)
    middles: dict[str, tuple[float, float]] = {}
    ends: dict[str, float] = {}
    for node in one.of_block[part.id]:
        if node.kind == "fold":
            continue
        inside = [ends[arrow.source] + _gap(part, arrow) for arrow in one.arriving[node.id] if arrow.source in ends]
        top, height = max(inside, default=start), heights.get(node.kind, BOX)
        middles[node.id], ends[node.id] = (top + height / 2, height), top + height
    missing = (_COMPACT_GAP if part.compact else _LONG) + heights["add"] if alone else 0
    return _Stack(middles, max(ends.values(), default=0) + missing + _tail(part))


def _lead(part: Part, alone: bool) -> float:
    """From a part's top to its first node."""
    lead = _FOLD_LEAD if part.folded else _LEAD if part.block.join != "none" or alone else 0
    return lead + ((_COMPACT_GAP if part.compact else _SHORT) if alone else 0)


def _gap(part: Part, arrow: Arc) -> float:
    if part.compact:
        return _COMPACT_GAP
    begins = arrow.source == f"{part.id}.split" and part.block.join != "concatenate"
    return _SHORT if begins and not arrow.text else _LONG


def _tail(part: Part) -> float:
    """What the arrow to the next part needs, inside this one's frame if it has one."""
    if part.compact:
        return _COMPACT_TAIL
    last = part.block.layers[-1]
    noted = last not in boxed(part.block.layers) and last in (*part.block.after, *part.block.paths[0].layers)
    return (_LONG if noted else _SHORT) + (_AFTER_FOLD if part.folded else 0)


def _offsets(segment: _Segment, stacks: Mapping[str, _Stack]) -> Iterator[tuple[Part, float, float]]:
    """Each part with where it begins and ends, from the top of the segment."""
    y, before = 0.0, False
    for index, part in enumerate(segment.parts):
        folded = part.folded
        y += 0 if index == 0 else _AROUND_FOLD if folded or before else _BETWEEN
        yield part, y, y + stacks[part.id].height
        y, before = y + stacks[part.id].height, folded


def _bands(
    rows: list[_Row], stacks: Sequence[Mapping[str, _Stack]], labels: Sequence[tuple[str, ...]], top: float
) -> Iterator[Row]:
    for row, label in zip(rows, labels, strict=True):
        ends = [list(_offsets(segment, own))[-1][2] for segment, own in zip(row, stacks, strict=True) if segment]
        height = max(max(ends), len(label) * LINE - _BAND_BOTTOM)
        yield Row(top, top + _BAND_TOP + height + _BAND_BOTTOM, label)
        top += _BAND_TOP + height + _BAND_BOTTOM + _BAND_GAP


def _filled(
    column: Column, stacks: Mapping[str, _Stack], own: _Row, bands: Sequence[Row], ends: tuple[float, float]
) -> Column:
    """The column with its blocks and nodes; `ends` are the heights of the image and of the classes."""
    first, *_, last = column.graph.nodes
    spots = {node.id: Spot(node, column.axis, y, _END, BOX) for node, y in zip((first, last), ends, strict=True)}
    nodes = {node.id: node for node in column.graph.nodes if node.kind != "fold"}
    places = []
    for shade, (segment, band) in enumerate(zip(own, bands, strict=True)):
        for part, top, bottom in _offsets(segment, stacks) if segment else ():
            start = band.top + _BAND_TOP + top
            places.append(Place(part, start, band.top + _BAND_TOP + bottom, shade))
            for name, (middle, height) in stacks[part.id].middles.items():
                spots[name] = _spot(column, nodes[name], start + middle, height)
    return replace(column, spots=spots, places=tuple(places))


def _spot(column: Column, node: Node, y: float, height: float) -> Spot:
    widths = {"split": 0.0, "add": height, "gate": _GATE, "concatenate": column.across}
    width = widths.get(node.kind, column.lane if node.lanes > 1 else column.box)
    aside = (node.lane - (node.lanes - 1) / 2) * (column.lane + _LANE_GAP) if node.lanes > 1 else 0
    return Spot(node, column.axis + aside, y, width, height)
