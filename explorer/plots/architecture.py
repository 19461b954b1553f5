"""Networks drawn as in Fig. 3 of the paper, as SVG: a column for each, data flowing down, shortcuts on the right.

The string is a file of its own, in the colours of the light theme. A page gives the same classes those of its theme
(ui/drawing.css).
"""

from collections.abc import Sequence
from html import escape

from explorer.config import network
from explorer.language import tr
from explorer.outline import Outline
from explorer.plots import theme
from explorer.plots.cards import alternative, key, spoken, title
from explorer.plots.graph import Arc, Part, boxed, graph
from explorer.plots.layout import (
    ARC_BOX,
    LINE,
    NOTE,
    NOTE_ASIDE,
    PAD,
    SHEET,
    TEXT,
    TITLE,
    Column,
    Layout,
    Place,
    Row,
    Spot,
    arranged,
    counts,
    label_lines,
)

_FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
_FILLS = ("#f8fafc", "#eef2f7", "#e2e9f1", "#d5dfea", "#c8d5e3", "#bbcadb")
_STYLE = (
    f".rx-drawing{{font-family:{_FONT};font-size:{TEXT}px}}"
    ".rx-drawing text{fill:#16202b}.rx-page{fill:#fff}.rx-band{fill:#f4f6f9}.rx-hit{fill:transparent}"
    f".rx-drawing .rx-note{{font-size:{NOTE}px;fill:#5a6673}}.rx-strong{{font-weight:600}}"
    f".rx-drawing .rx-title{{font-size:{TITLE}px;font-weight:700;fill:currentColor}}"
    ".rx-middle{text-anchor:middle}.rx-left{text-anchor:end}"
    ".rx-flow,.rx-arc,.rx-bracket{fill:none;stroke:#566270;stroke-width:1.25;stroke-linejoin:round}"
    ".rx-arc,.rx-join{stroke:currentColor;stroke-width:1.75}.rx-join{fill:#fff}.rx-dot{fill:#566270}"
    ".rx-dotted{stroke-dasharray:.1 4.2;stroke-linecap:round;stroke-width:2.2}"
    ".rx-box,.rx-end,.rx-on-arc,.rx-frame,.rx-badge rect{fill:#fff;stroke:#8796a8}"
    ".rx-on-arc{stroke:currentColor}.rx-frame{stroke:#a9b4c1}.rx-bracket{stroke:#8796a8}"
    + "".join(f".rx-s{rank}{{fill:{fill}}}" for rank, fill in enumerate(_FILLS))
)
_DOWN, _LEFT = "m-3.5-5l3.5 5 3.5-5", "m5-3.5l-5 3.5 5 3.5"  # heads of arrows
_CORNER, _SMALL_CORNER, _LANE_CORNER = 10, 5, 6
_BADGE = 34


def drawing(outlines: Sequence[Outline], unfolded: frozenset[str]) -> str:
    """The networks side by side; in the stages named by `unfolded`, equal blocks are drawn one by one.

    A block is a group with `data-block`, its name, and `data-card`, its key in `cards.cards(outlines)`; a box has its
    layer's name as `data-layer`; a badge has as `data-fold` the stage that it unfolds or folds.
    """
    layout = arranged([graph(outline, unfolded) for outline in outlines])
    size = f'width="{layout.width:g}" height="{layout.height:g}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rx-drawing" viewBox="0 0 {layout.width:g} {layout.height:g}"'
    )
    bands = (_rect("rx-band", 4, row.top, layout.width - 8, row.bottom - row.top, 8) for row in layout.rows)
    return "".join(
        (
            f'{head} {size} role="img" aria-label="{escape(alternative(outlines))}"><style>{_STYLE}</style>',
            f'<rect class="rx-page" {size}/>',
            *bands,
            *(_label(row) for row in (layout.image, *layout.rows)),
            *(_column(index, column, layout) for index, column in enumerate(layout.columns)),
            "</svg>",
        )
    )


def _label(row: Row) -> str:
    """The output size, in the margin."""
    middles = (row.top + 4 + (index + 0.5) * LINE for index in range(len(row.label)))
    return "".join(
        _text(line, 10, y, NOTE, "rx-note" if line[0].isdigit() else "rx-note rx-strong")
        for line, y in zip(row.label, middles, strict=True)
    )


def _column(index: int, column: Column, layout: Layout) -> str:
    name = column.graph.outline.network
    first, *_, last = column.graph.nodes
    bottoms = {key(index, place.part.block): place.bottom for place in column.places}  # of equal blocks the last one's
    inside = (
        _part(index, column, place) + _badges(column, place, bottoms[key(index, place.part.block)])
        for place in column.places
    )
    ends = _end(column.spots[first.id]) + _arrows(column, last.id) + _end(column.spots[last.id])
    opening = f'<g class="rx-column" data-network="{escape(name)}" color="{theme.colour(network(name).family)}">'
    return f"{opening}{_heading(column, layout)}{ends}{''.join(inside)}</g>"


def _heading(column: Column, layout: Layout) -> str:
    """The name, then parameters and multiply-adds, standing on the image's row."""
    x, bottom = column.left + PAD, layout.image.top - 8
    lines = [
        _text(line, x, bottom - (2 - index) * LINE + 7, NOTE, "rx-note")
        for index, line in enumerate(counts(column.graph.outline))
    ]
    top = bottom - 2 * LINE - TITLE / 2 - 3
    rows = reversed(column.title)
    names = [_text(line, x, top - index * (TITLE + 3), TITLE, "rx-title") for index, line in enumerate(rows)]
    return "".join((*names, *lines))


def _end(spot: Spot) -> str:
    """The image, the classes."""
    box = _rect("rx-end", spot.x - spot.width / 2, spot.top, spot.width, spot.height, spot.height / 2)
    return box + _text(spot.node.text, spot.x, spot.y, TEXT, "rx-middle")


def _part(index: int, column: Column, place: Place) -> str:
    """One block: what it stands on, its arrows and shortcuts, its boxes."""
    part = place.part
    nodes = [node for node in column.graph.of_block[part.id] if node.kind != "fold"]
    opening = (
        f'<g class="rx-block" data-block="{escape(part.id)}" data-stage="{escape(part.stage)}" '
        f'data-card="{escape(key(index, part.block))}" data-title="{escape(title(part))}" '
        f'tabindex="-1" role="img" aria-label="{escape(spoken(part))}">'
    )
    shortcuts = column.graph.shortcuts[f"{part.id}.join"]
    return "".join(
        (
            opening,
            _ground(column, place),
            *(_arrows(column, node.id) for node in nodes),
            *(_shortcut(column, part, arc, rank, len(shortcuts)) for rank, arc in enumerate(shortcuts)),
            *(_node(column.spots[node.id], part, place.shade) for node in nodes),
            "</g>",
        )
    )


def _ground(column: Column, place: Place) -> str:
    """Where the pointer finds the block; of folded ones a small pile of sheets."""
    left, right = column.edges(place.part)
    sheets = (2 * SHEET, SHEET, 0) if place.part.folded else (0,)
    size = (right - left, place.bottom - place.top - sheets[0])
    kind = "rx-frame" if place.part.folded else "rx-hit"
    return "".join(_rect(kind, left + aside, place.top + aside, *size, 6) for aside in sheets)


def _arrows(column: Column, target: str) -> str:
    """The arrows that end at a node, and what stands beside them."""
    arcs = column.graph.arriving[target]
    paths = "".join(_arrow(column.spots[arc.source], column.spots[target]) for arc in arcs)
    return f'<path class="rx-flow" d="{paths}"/>' + "".join(_note(column, arc) for arc in arcs)


def _arrow(source: Spot, target: Spot) -> str:
    head = "" if target.node.kind == "split" or target.height < 16 else _DOWN
    if target.node.kind == "concatenate" or source.x == target.x:
        return f"M{source.x:g} {source.bottom:g}V{target.top:g}{head}"
    turn, side = _LANE_CORNER, 1 if target.x > source.x else -1
    return (
        f"M{source.x:g} {source.bottom:g}v2q0 {turn} {side * turn} {turn}H{target.x - side * turn:g}"
        f"q{side * turn} 0 {side * turn} {turn}V{target.top:g}{head}"
    )


def _note(column: Column, arc: Arc) -> str:
    """`BN, ReLU`: by the block whose layers they are, if the arrow leads from one to the next."""
    source, target = column.spots[arc.source], column.spots[arc.target]
    x = source.x if target.node.kind == "concatenate" else target.x  # on the lane, where paths part or meet
    y = (source.bottom + target.top) / 2
    if arc.text and source.node.block != target.node.block:
        y = source.bottom + 10 if arc.layers[0].name.startswith(source.node.block) else target.top - 8
    note = _text(arc.text, x + NOTE_ASIDE, y, NOTE, "rx-note") if arc.text else ""
    factor = _text(f"× {arc.factor}", x - NOTE_ASIDE, y, NOTE, "rx-note rx-left") if arc.factor else ""
    return note + factor


def _shortcut(column: Column, part: Part, arc: Arc, rank: int, number: int) -> str:
    """An arc to the right of the boxes, with what stands on it and beside it."""
    start, end = column.spots[arc.source], column.spots[arc.target]
    x, turn = column.shortcut(rank), _SMALL_CORNER if part.compact else _CORNER
    arrival = end.y + (8 * rank - 4 * (number - 1)) * (not part.compact)
    line = (
        f"M{start.x:g} {start.y:g}H{x - turn:g}q{turn} 0 {turn} {turn}V{arrival - turn:g}q0 {turn} {-turn} {turn}"
        f"H{end.x + end.width / 2 + 1:g}"
    )
    dotted = " rx-dotted" * arc.dotted
    head = f'<path class="rx-arc" d="M{end.x + end.width / 2 + 1:g} {arrival:g}{_LEFT}"/>'
    words = "" if part.compact else _beside(arc, x, (start.y + arrival) / 2)
    return f'<path class="rx-arc rx-{arc.kind}{dotted}" d="{line}"/>{head}{words}'


def _beside(arc: Arc, x: float, y: float) -> str:
    layers = boxed(arc.layers)
    box = "".join(
        f'<g data-layer="{escape(layer.name)}">{_rect("rx-on-arc", x - ARC_BOX / 2, y - 9, ARC_BOX, 18, 4)}'
        f"{_text(layer.text.split(' ')[0], x, y, NOTE, 'rx-middle')}</g>"
        for layer in layers
    )
    lines = label_lines(arc)
    left, top = x + (ARC_BOX / 2 if layers else 0) + 4, y - (len(lines) - 1) * LINE / 2
    return box + "".join(_text(line, left, top + index * LINE, NOTE, "rx-note") for index, line in enumerate(lines))


def _node(spot: Spot, part: Part, shade: int) -> str:
    match spot.node.kind:
        case "split":
            return "" if part.compact else f'<circle class="rx-dot" cx="{spot.x:g}" cy="{spot.y:g}" r="2"/>'
        case "add":
            return _plus(spot)
        case "concatenate" | "gate":
            return _box("rx-join", spot, "rx-note rx-middle", spot.height / 2)
    kind = "rx-pooling" if spot.node.kind == "pooling" else f"rx-s{min(shade, len(_FILLS) - 1)}"
    return f'<g data-layer="{escape(spot.node.id)}">{_box(f"rx-box {kind}", spot, "rx-middle", 5)}</g>'


def _plus(spot: Spot) -> str:
    radius, arm = spot.height / 2, spot.height * 0.28
    circle = f'<circle class="rx-join" cx="{spot.x:g}" cy="{spot.y:g}" r="{radius:g}"/>'
    return f'{circle}<path class="rx-arc" d="M{spot.x - arm:g} {spot.y:g}h{2 * arm:g}m{-arm:g}{-arm:g}v{2 * arm:g}"/>'


def _box(kind: str, spot: Spot, text: str, radius: float) -> str:
    box = _rect(kind, spot.x - spot.width / 2, spot.top, spot.width, spot.height, radius)
    return box + _text(spot.node.text, spot.x, spot.y, TEXT, text)


def _badges(column: Column, place: Place, bottom: float) -> str:
    """`× 8` on a fold, a button that shows every one; what is unfolded a bracket holds, with a button to fold it.

    `bottom` is where the last of equal blocks ends.
    """
    part = place.part
    number, left = len(part.block.names), column.edges(part)[0]
    if part.folded:
        words = tr("Show the {number} equal blocks of {stage} one by one", number=number, stage=part.stage)
        return _badge(f"× {number}", part.stage, words, left + 16, place.top)
    if not part.begins_unfolded:
        return ""
    words = tr("Fold the {number} equal blocks of {stage}", number=number, stage=part.stage)
    badge = _badge(tr("fold"), part.stage, words, left + 16, place.top + 4)
    bracket = f'<path class="rx-bracket" d="M{left + 5:g} {place.top + 6:g}h-4V{bottom - 6:g}h4"/>'
    return f'{bracket}<g class="rx-control">{badge}</g>'


def _badge(text: str, stage: str, words: str, x: float, y: float) -> str:
    """A button; its invisible ground is as large as a finger needs."""
    return (
        f'<g class="rx-badge" data-fold="{escape(stage)}" tabindex="-1" role="button" aria-label="{escape(words)}">'
        f'<circle class="rx-hit" cx="{x:g}" cy="{y:g}" r="16"/>{_rect("", x - _BADGE / 2, y - 9, _BADGE, 18, 9)}'
        f"{_text(text, x, y, NOTE, 'rx-middle rx-strong')}</g>"
    )


def _rect(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<rect{named} x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"/>'


def _text(text: str, x: float, y: float, size: float, kind: str) -> str:
    """One line, its middle at `y`."""
    return f'<text class="{kind}" x="{x:g}" y="{y + 0.35 * size:.1f}">{escape(text)}</text>'
