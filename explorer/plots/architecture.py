"""The architecture drawing in the manner of Fig. 3, as a self-contained SVG with light colours.

A page overrides the colours by the classes of the elements (ui/drawing.css); a saved file keeps them.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from explorer.outline import Block, Layer, Outline, Stage
from explorer.plots import architecture_layout as at
from explorer.plots import theme
from explorer.plots.architecture_blocks import block_group, chevron, number, text
from explorer.plots.architecture_layout import Column, Layout, Row, layout
from explorer.plots.graph import BOXES, graph

TINTS = 7
"""Shades of rows; further ones have the last."""
_FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
_INK, _MUTED, _PAGE, _SLATE = "#16202b", "#5b6672", "#ffffff", "#3c5a78"


def drawing(outlines: Sequence[Outline], unfolded: frozenset[str]) -> str:
    """Networks side by side as an SVG; `unfolded` names the stages whose repeated blocks are drawn one by one."""
    graphs = [graph(outline, unfolded) for outline in outlines]
    headers = [_header(outline) for outline in outlines]
    top = 26 + at.LINE * max(len(lines) for _, lines in headers)
    placed = layout(outlines, graphs, top)
    bottom = placed.bottom + at.BOX + 6
    size = f"{number(placed.width)} {number(bottom)}"
    width, height = size.split()
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{width}" height="{height}" ',
            f'role="img" aria-label="{escape(alternative_text(outlines))}"><style>{_style()}</style>',
            f'<rect class="page" width="{width}" height="{height}"/>',
            *_rows(placed),
            *(part for index, column in enumerate(placed.columns) for part in _column(index, column, placed, headers)),
            "</svg>",
        ]
    )


def alternative_text(outlines: Sequence[Outline]) -> str:
    """What the drawing shows, in words."""
    return " ".join(_described(outline) for outline in outlines)


def family(outline: Outline) -> str:
    """`resnet` of `resnet-20:shortcut=B`."""
    return at.title(outline)[0].partition("-")[0]


def _described(outline: Outline) -> str:
    costs = f"{outline.parameters:,} parameters, {outline.macs:,} multiply-adds"
    stages = "; ".join(_stage_described(stage) for stage in outline.stages)
    return f"{outline.network}: {outline.weighted_layers} layers, {costs}. From top to bottom: {stages}."


def _stage_described(stage: Stage) -> str:
    named = f"{stage.label}: " if stage.label else ""
    blocks = [block for block in stage.blocks if len(block.paths) > 1 or block.formula]
    channels, height, width = stage.output
    if not blocks:
        return named + ", ".join(layer.text for layer in _boxes(stage.blocks))
    count = sum(len(block.names) for block in blocks)
    plural = "s" if count > 1 else ""
    joins = ", ".join(dict.fromkeys(_way(block) for block in blocks))
    return f"{named}{count} block{plural} at {height}×{width} with {channels} channels, {joins}"


def _way(block: Block) -> str:
    """How a block's input reaches its end besides the layers."""
    if block.join == "none":
        return "no shortcuts"
    if block.join == "concatenate":
        return f"{len(block.paths)} branches each"
    kinds = {"identity": "identity", "padded": "zero-padded", "projection": "projection"}
    return f"{kinds[block.paths[1].kind]} shortcuts" + (" with gates" if block.join == "gate" else "")


def _boxes(blocks: Iterable[Block]) -> Iterator[Layer]:
    return (layer for block in blocks for layer in block.layers if layer.kind in BOXES)


def _header(outline: Outline) -> tuple[str, list[str]]:
    """The title, and the lines under it."""
    name, special = at.title(outline)
    room = max(at.text_width(name, at.TITLE), 112)
    costs = [f"{outline.parameters:,} parameters", f"{_short(outline.macs)} multiply-adds"]
    return name, [*at.wrapped(special, room), *costs]


def _short(value: int) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:,}"


def _rows(placed: Layout) -> Iterator[str]:
    """The bands, their sizes and labels."""
    yield text(4, placed.image - 4, "output", "small start") + text(4, placed.image + 10, "size", "small start")
    for index, row in enumerate(placed.rows):
        shape = f'y="{number(row.top)}" width="{number(placed.width)}" height="{number(row.bottom - row.top)}"'
        yield f'<rect class="band t{min(index, TINTS - 1)}" {shape} rx="7"/>'
        yield _row_text(row)


def _row_text(row: Row) -> str:
    y = row.top + at.BAND_PAD + at.LEAD + 15
    size = text(6, y, f"{row.key[0]}×{row.key[0]}", "small start")
    return size + (text(6, y + at.LINE + 1, row.label, "label start") if row.label else "")


def _column(index: int, column: Column, placed: Layout, headers: Sequence[tuple[str, list[str]]]) -> Iterator[str]:
    deep, shallow = theme.shade(family(column.outline), 1), theme.shade(family(column.outline), 0)
    known = deep != theme.PAPER
    colours = f' color="{deep if known else _MUTED}"' + (f' style="--dark:{shallow}"' if known else "")
    yield f'<g class="network" data-network="{escape(column.outline.network)}"{colours}>'
    name, lines = headers[index]
    x = column.centre
    yield text(x, at.TITLE + 1, name, "title")
    yield "".join(text(x, 34 + at.LINE * number, line, "small") for number, line in enumerate(lines))
    yield _ends(column, placed)
    tints = {place.drawn.name: _tint(place.top, placed.rows) for place in column.places}
    for place in column.places:
        yield block_group(index, column, place, tints[place.drawn.name])
    yield "</g>"


def _tint(top: float, rows: Sequence[Row]) -> int:
    return min(next(index for index, row in enumerate(rows) if row.bottom > top), TINTS - 1)


def _ends(column: Column, placed: Layout) -> str:
    """The image, the classes and the line that runs through wherever no block stands."""
    x, image = column.centre, placed.image
    stops = [image + at.BOX - 4, *(y for place in column.places for y in (place.top, place.bottom)), placed.bottom]
    line = "".join(
        f"M{number(x)} {number(start)}V{number(end)}"
        for start, end in zip(stops[::2], stops[1::2], strict=True)
        if end > start
    )
    nodes = {node.id: node.text for node in column.graph.nodes if node.kind in ("image", "output")}
    return (
        f'<path class="flow" d="{line}{chevron(x, placed.bottom)}"/>'
        + text(x, image + 12, nodes["image"], "end")
        + text(x, placed.bottom + 15, nodes["output"], "end")
    )


def _style() -> str:
    """The light colours, without variables: not every program that opens an SVG knows them."""
    tints = "".join(
        f".band.t{index}{{fill:{_mixed(4 + 1.5 * index)}}}"
        f".t{index} .box{{fill:{_mixed(12 + 5 * index)};stroke:{_mixed(45 + 6 * index)}}}"
        for index in range(TINTS)
    )
    return (
        f"text{{font:{at.TEXT}px {_FONT};fill:{_INK};text-anchor:middle}}"
        f".title{{font-size:{at.TITLE}px;font-weight:700;fill:currentColor}}"
        f".small,.note,.beside{{font-size:{at.SMALL}px;fill:{_MUTED}}}.label{{font-weight:600}}"
        ".start,.note,.beside{text-anchor:start}.left{text-anchor:end}"
        f".row text{{font-size:{at.SMALL}px}}.factor{{font-style:italic;fill:currentColor}}"
        f".page{{fill:{_PAGE}}}{tints}.box.open{{fill:{_PAGE}}}.hit{{fill:transparent}}"
        f".flow{{fill:none;stroke:{_MUTED};stroke-width:1.2}}"
        f".arc{{fill:none;stroke:currentColor;stroke-width:1.6}}.dotted{{stroke-width:2.2;stroke-dasharray:.1 4.4;"
        "stroke-linecap:round}.head{fill:none;stroke:currentColor;stroke-width:1.6}.dot{fill:currentColor}"
        f".join{{fill:{_PAGE};stroke:currentColor;stroke-width:1.6}}"
        f".side{{fill:{_PAGE};stroke:currentColor;stroke-width:1.2}}"
        f".outline{{fill:none;stroke:{_MUTED};stroke-width:1}}"
        f".badge rect{{fill:{_PAGE};stroke:{_MUTED}}}.badge text{{font-weight:600}}.refold{{display:none}}"
    )


def _mixed(percent: float) -> str:
    """Slate on the page."""
    pairs = [(int(_SLATE[i : i + 2], 16), int(_PAGE[i : i + 2], 16)) for i in (1, 3, 5)]
    part = min(percent, 100) / 100
    return "#" + "".join(f"{round(over * part + under * (1 - part)):02x}" for over, under in pairs)
