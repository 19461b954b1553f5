"""One block of an architecture drawing as SVG: boxes, arrows, shortcut arcs, the node where they meet."""

from collections.abc import Iterator, Sequence
from html import escape

from explorer.outline import Block
from explorer.plots import architecture_layout as at
from explorer.plots.architecture_layout import Column, Place
from explorer.plots.graph import BOXES, Arc, DrawnBlock, compact_text, kernel

_CORNER = 9
_SPLIT = 3
"""Below a block's beginning, where the shortcut leaves."""


def block_group(index: int, column: Column, place: Place, tint: int) -> str:
    """One `<g data-block>`, and the badge of its fold behind it."""
    drawn = place.drawn
    draw = _compact if drawn.compact else _branches if drawn.block.join == "concatenate" else _block
    attributes = {
        "class": f"block t{tint}" + " row" * drawn.compact,
        "data-block": drawn.name,
        "data-card": f"{index}/{drawn.block.names[0]}",
        "aria-label": block_label(drawn),
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<g {written}>{_hit(column, place)}{''.join(draw(column, place))}</g>{_badge(column, place)}"


def block_label(drawn: DrawnBlock) -> str:
    """What a block is, for those who do not see it."""
    formula = f"{drawn.block.formula}, " if drawn.block.formula else ""
    times = f", {drawn.repeat} times" if drawn.folded else ""
    return f"{drawn.name}{times}: {formula}{drawn.block.parameters:,} parameters each".replace(
        " each", " each" * drawn.folded
    )


def number(value: float) -> str:
    """As short as it can be written."""
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, style: str = "") -> str:
    """A line of text on its baseline."""
    named = f' class="{style}"' if style else ""
    return f'<text{named} x="{number(x)}" y="{number(y)}">{escape(words)}</text>'


def chevron(x: float, y: float) -> str:
    """The head of an arrow down, at its tip."""
    return f"M{number(x - 3.5)} {number(y - 5)}L{number(x)} {number(y - 0.6)}L{number(x + 3.5)} {number(y - 5)}"


def _down(x: float, start: float, end: float) -> str:
    """An arrow down."""
    return f"M{number(x)} {number(start)}V{number(end - 1)}{chevron(x, end)}"


def _rect(style: str, x: float, y: float, width: float, height: float, radius: float, more: str = "") -> str:
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect class="{style}" {place} rx="{number(radius)}"{more}/>'


def _box(name: str, kind: str, words: str, x: float, y: float, width: float, height: float) -> str:
    """A layer."""
    style, radius = ("box", 3.0) if kind == "convolution" else ("box open", height / 2 if kind == "pooling" else 3.0)
    shape = _rect(style, x - width / 2, y, width, height, radius)
    return f'<g data-layer="{escape(name)}">{shape}{text(x, y + height / 2 + 4.2, words)}</g>'


def _hit(column: Column, place: Place) -> str:
    """What the pointer meets anywhere in the block."""
    left, right = _sides(column, place.drawn.block)
    height = place.bottom - place.below - place.top - place.above
    return _rect("hit", left, place.top + place.above, right - left, height, 6)


def _sides(column: Column, block: Block) -> tuple[float, float]:
    return column.left + 3, column.right - 3


def _badge(column: Column, place: Place) -> str:
    """`× 8`, which unfolds the stage, with the outline of the fold; where it is unfolded, what folds it again."""
    drawn = place.drawn
    if not drawn.begins_repeat:
        return ""
    left, right = _sides(column, drawn.block)
    top = place.top + place.above - 4
    words, style = (f"× {drawn.repeat}", "unfold") if drawn.folded else ("fold", "refold")
    label = f"unfold the {drawn.repeat} blocks of {drawn.stage}" if drawn.folded else f"fold {drawn.stage}"
    width = at.text_width(words, at.TEXT) + 13
    outline = _outline(left, right, top, place.bottom - place.below + 4) if drawn.folded else ""
    pill = _rect("", right - width - 6, top - 9, width, 18, 9) + text(right - width / 2 - 6, top + 4.2, words)
    stage = f'data-stage="{escape(drawn.stage)}" data-fold="{escape(drawn.name)}" aria-label="{escape(label)}"'
    return f'{outline}<g class="badge {style}" {stage}>{pill}</g>'


def _outline(left: float, right: float, top: float, bottom: float) -> str:
    """A sheet in front of others."""
    behind = "".join(
        f"M{number(right + shift - 1.5)} {number(top + shift + 6)}V{number(bottom + shift - 7)}"
        f"q0 7-7 7H{number(left + shift + 6)}"
        for shift in (1.5, 3.5)
    )
    return _rect("outline", left, top, right - left, bottom - top, 8) + f'<path class="outline" d="{behind}"/>'


def _notes(column: Column, place: Place) -> Iterator[tuple[Arc, bool]]:
    """The arcs into a block's first node and out of its last."""
    names = {node.id for node in column.graph.nodes if node.block == place.drawn.name}
    for arc in column.graph.arcs:
        if arc.block == place.drawn.name and arc.kind == "flow":
            yield arc, arc.target in names


def _block(column: Column, place: Place) -> Iterator[str]:
    """Boxes on the main path, annotated; then shortcuts and the join."""
    x, y, flow, notes = column.centre, place.boxes, [], []
    drawn, block = place.drawn, place.drawn.block
    start, pending, shapes = place.top + place.above, list[str](), []
    for layer in block.paths[0].layers:
        if layer.kind not in BOXES:
            pending.append(layer.text)
            continue
        flow.append(_down(x, start, y))
        notes.append(_note(x, (start + y) / 2, pending))
        shapes.append(_box(drawn.layer_name(layer), layer.kind, layer.text, x, y, column.box, at.BOX))
        start, y, pending = y + at.BOX, y + at.BOX + at.GAP, []
    if not shapes:
        words = ", ".join(pending)
        shapes, pending = [_box(drawn.name, "annotation", words, x, y, column.box, at.BOX)], []
        flow.append(_down(x, start, y))
        start = y + at.BOX
    end = place.bottom - place.below
    if block.join == "none":
        flow.append(f"M{number(x)} {number(start)}V{number(end)}")
        notes.append(_note(x, start + at.TAIL_TEXT / 2 + 4, [*pending, *(layer.text for layer in block.after)]))
    else:
        join = start + (place.boxes + place.body - start) + _join_gap(block) + at.RADIUS
        flow.append(_down(x, start, join - at.RADIUS) + f"M{number(x)} {number(join + at.RADIUS)}V{number(end)}")
        notes.append(_note(x, start + _join_gap(block) / 2 - 1, pending))
        notes.append(_note(x, join + at.RADIUS + at.TAIL_TEXT / 2 + 2, [layer.text for layer in block.after]))
        shapes += _shortcuts(column, place, join)
    yield f'<path class="flow" d="{"".join(flow)}"/>'
    yield from shapes
    yield from notes


def _join_gap(block: Block) -> float:
    return at.JOIN_GAP + (8 if block.join == "gate" else 0)


def _note(x: float, middle: float, words: Sequence[str]) -> str:
    """What acts on the arrow, beside it."""
    return text(x + 7, middle + 3.2, ", ".join(words), "note") if words else ""


def _shortcuts(column: Column, place: Place, join: float) -> Iterator[str]:
    """The arcs of a block and its join."""
    drawn, block = place.drawn, place.drawn.block
    split = place.top + place.above + _SPLIT
    x = column.centre
    arcs = {arc.kind: arc for arc in column.graph.arcs if arc.target == f"{drawn.name}.{block.join}"}
    yield f'<circle class="dot" cx="{number(x)}" cy="{number(split)}" r="2"/>'
    for path in block.paths[1:]:
        middle = (place.boxes + place.boxes + place.body) / 2
        if path.kind == "gate":
            yield _gate(column, drawn, split, middle, join)
            continue
        arc = arcs[path.kind]
        yield _arc(x, split, column.lane, join, at.RADIUS, arc.dotted)
        layers = [layer for layer in path.layers if layer.kind in BOXES]
        for layer in layers:
            yield _side_box(drawn.layer_name(layer), kernel(layer), column.lane, middle)
        yield _beside(column.lane + (18 if layers else 5), middle, at.wrapped(at.arc_text(arc), at.ARC_TEXT))
    if block.join == "gate":
        yield text(x - 7, join - at.RADIUS - 6, "T", "factor left")
    yield _join(x, join, at.RADIUS, block.join)


def _arc(x: float, split: float, lane: float, join: float, radius: float, dotted: bool) -> str:
    """A shortcut on the right, from where it leaves to the join."""
    turn = min(_CORNER, (join - split) / 2)
    line = (
        f"M{number(x)} {number(split)}H{number(lane - turn)}q{number(turn)} 0 {number(turn)} {number(turn)}"
        f"V{number(join - turn)}q0 {number(turn)}-{number(turn)} {number(turn)}H{number(x + radius + 1)}"
    )
    tip = x + radius + 0.8
    head = (
        f"M{number(tip + 5)} {number(join - 3.5)}L{number(tip)} {number(join)}L{number(tip + 5)} {number(join + 3.5)}"
    )
    style = "arc dotted" if dotted else "arc"
    return f'<path class="{style}" d="{line}"/><path class="head" d="{head}"/>'


def _side_box(name: str, words: str, x: float, middle: float) -> str:
    """A projection's layer, on its arc."""
    shape = _rect("side", x - 15, middle - 9, 30, 18, 3)
    return f'<g data-layer="{escape(name)}">{shape}{text(x, middle + 4.2, words)}</g>'


def _beside(x: float, middle: float, lines: Sequence[str]) -> str:
    top = middle - at.LINE * (len(lines) - 1) / 2 + 4
    return "".join(text(x, top + at.LINE * index, line, "beside") for index, line in enumerate(lines))


def _gate(column: Column, drawn: DrawnBlock, split: float, middle: float, join: float) -> str:
    """T = σ(W x + b), on the left."""
    x, lane = column.centre, column.centre - column.box / 2 - at.GATE / 2 + 3
    tip = x - at.RADIUS - 0.8
    line = (
        f"M{number(x)} {number(split)}H{number(lane + _CORNER)}q-{_CORNER} 0-{_CORNER} {_CORNER}"
        f"V{number(join - _CORNER)}q0 {_CORNER} {_CORNER} {_CORNER}H{number(tip)}"
    )
    head = (
        f"M{number(tip - 5)} {number(join - 3.5)}L{number(tip)} {number(join)}L{number(tip - 5)} {number(join + 3.5)}"
    )
    layers = next(path.layers for path in drawn.block.paths if path.kind == "gate")
    box = _side_box(drawn.layer_name(layers[0]), kernel(layers[0]), lane, middle)
    sigma = "".join(text(lane + 5, middle + 25, layer.text, "note") for layer in layers[1:])
    return f'<path class="arc gate" d="{line}"/><path class="head" d="{head}"/>{box}{sigma}'


def _join(x: float, y: float, radius: float, kind: str) -> str:
    """⊕; of a gate a rhombus."""
    arm = radius - 2.6
    plus = f"M{number(x - arm)} {number(y)}h{number(2 * arm)}M{number(x)} {number(y - arm)}v{number(2 * arm)}"
    if kind == "gate":
        side = radius + 1.5
        shape = f'<path class="join" d="M{number(x)} {number(y - side)}l{side} {side}l-{side} {side}l-{side}-{side}z"/>'
    else:
        shape = f'<circle class="join" cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"/>'
    return f'{shape}<path class="head" d="{plus}"/>'


def _compact(column: Column, place: Place) -> Iterator[str]:
    """A whole block as one row."""
    x, y, block = column.centre, place.boxes, place.drawn.block
    start, end = place.top + place.above, place.bottom - place.below
    below = y + at.COMPACT_BOX
    yield f'<path class="flow" d="M{number(x)} {number(start)}V{number(y)}M{number(x)} {number(below)}V{number(end)}"/>'
    yield _rect("box", x - column.box / 2, y, column.box, at.COMPACT_BOX, 3)
    yield text(x, y + at.COMPACT_BOX / 2 + 4, compact_text(block))
    if block.join == "none":
        return
    join = below + at.COMPACT_GAP + at.SMALL_RADIUS
    arcs = [arc for arc in column.graph.arcs if arc.target == f"{place.drawn.name}.{block.join}" and arc.kind != "flow"]
    for arc in arcs:
        if arc.kind != "gate":
            yield _arc(x, start + _SPLIT, column.lane, join, at.SMALL_RADIUS, arc.dotted)
            yield _beside(column.lane + 5, y + at.COMPACT_BOX / 2, [at.arc_text(arc)] if at.arc_text(arc) else [])
    yield _join(x, join, at.SMALL_RADIUS, block.join)


def _branches(column: Column, place: Place) -> Iterator[str]:
    """Inception: branches side by side, put behind one another."""
    drawn, block, x = place.drawn, place.drawn.block, column.centre
    width = at.branch_width(len(block.paths))
    split, join = place.top + place.above + at.LEAD / 2, place.boxes + place.body + at.BRANCH_GAP
    centres = [
        x - width / 2 + at.BRANCH / 2 + index * (at.BRANCH + at.BRANCH_SPACE) for index in range(len(block.paths))
    ]
    flow = [
        f"M{number(x)} {number(place.top + place.above)}V{number(split)}M{number(centres[0])} {number(split)}H{number(centres[-1])}"
    ]
    shapes = []
    for centre, path in zip(centres, block.paths, strict=True):
        y, start = place.boxes, split
        for layer in (layer for layer in path.layers if layer.kind in BOXES):
            flow.append(_down(centre, start, y))
            words = layer.text.replace(" conv", "")
            shapes.append(_box(drawn.layer_name(layer), layer.kind, words, centre, y, at.BRANCH, at.BRANCH_BOX))
            start, y = y + at.BRANCH_BOX, y + at.BRANCH_BOX + at.BRANCH_GAP
        flow.append(_down(centre, start, join))
    end = join + at.BRANCH_BOX
    flow.append(f"M{number(x)} {number(end)}V{number(place.bottom - place.below)}")
    yield f'<path class="flow" d="{"".join(flow)}"/>'
    yield from shapes
    yield _rect("join", x - width / 2, join, width, at.BRANCH_BOX, at.BRANCH_BOX / 2)
    yield text(x, join + at.BRANCH_BOX / 2 + 4.2, "concatenate")
