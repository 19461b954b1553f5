"""What a drawing of networks says in words and numbers: a card for each block, and the whole in a few sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import groupby
from typing import Any

from explorer.language import later, told, tr
from explorer.outline import Block, Layer, Outline, Path, Shape, Stage
from explorer.plots.graph import Part, boxed, path_text, runs, stage_title, straight

Card = dict[str, Any]
"""What the page shows of a block: formula, shape, parameters, multiply-adds, and a row for each layer; all text."""

_NUMBERS = (
    later("no"), later("one"), later("two"), later("three"), later("four"), later("five"), later("six"),
)  # fmt: skip
_SHORTCUTS = {"identity": later("identity"), "padded": later("zero-padded"), "projection": later("projection")}
_PATHS = {
    "identity": later("shortcut, identity"),
    "padded": later("shortcut, padded"),
    "projection": later("shortcut, projection"),
    "gate": later("gate"),
    "branch": later("branch"),
}


def cards(outlines: Sequence[Outline]) -> dict[str, Card]:
    """A card for each block, equal ones sharing theirs, by the key that `data-card` has in the drawing."""
    return {
        key(column, block): _card(block)
        for column, outline in enumerate(outlines)
        for stage in outline.stages
        for block in runs(stage)
    }


def key(column: int, block: Block) -> str:
    """What a block's card is called: `0/stage1.1` in the first network."""
    return f"{column}/{block.names[0]}"


def title(part: Part) -> str:
    """The block's name; of equal blocks the first and the last."""
    return f"{part.names[0]} … {part.names[-1]}" if part.folded else part.id


def spoken(part: Part) -> str:
    """A drawn block in a few words."""
    words = spoken_block(part.block)
    if part.folded:
        words = tr("{number} equal blocks of {words}", number=len(part.names), words=words)
    return f"{title(part)}: {words}"


def spoken_block(block: Block) -> str:
    """Its layers and shortcuts: `two 3×3 layers, one identity shortcut`."""
    return _layers_words(block) + _shortcut_words([block])


def alternative(outlines: Sequence[Outline]) -> str:
    """What the drawing shows, in words."""
    return " ".join(_network_words(outline) for outline in outlines)


def _card(block: Block) -> Card:
    paths = [row for path in block.paths for row in _path_rows(block, path)]
    return {
        "formula": block.formula,
        "shape": f"{_shape(block.input)} → {_shape(block.output)}",
        "parameters": f"{block.parameters:,}",
        "macs": f"{block.macs:,}",
        "layers": [*paths, *(_row(block, layer) for layer in block.after)],
    }


def _path_rows(block: Block, path: Path) -> Iterator[dict[str, str]]:
    """A row for each layer; a path that is not the main one is named, and has a row even without layers."""
    if path.kind != "residual":
        yield {"path": ": ".join(filter(None, (told(_PATHS[path.kind]), path_text(path))))}
    for layer in path.layers:
        yield _row(block, layer)


def _row(block: Block, layer: Layer) -> dict[str, str]:
    return {
        "layer": layer.name.removeprefix(block.names[0]),
        "text": layer.text,
        "shape": _shape(layer.output),
        "parameters": f"{layer.parameters:,}" if layer.parameters else "",
        "macs": f"{layer.macs:,}" if layer.macs else "",
    }


def _shape(shape: Shape) -> str:
    return "×".join(map(str, shape)) if shape[1:] != (1, 1) else f"{shape[0]:,}"


def _network_words(outline: Outline) -> str:
    stages = "; ".join(_stage_words(stage) for stage in outline.stages)
    if outline.part:
        return tr(
            "{part} of {network}, from {input} to {output}: {words}; {parameters:,} parameters.",
            part=outline.part, network=outline.network, input=_shape(outline.image),
            output=_shape(outline.stages[-1].output), words=spoken_block(outline.stages[0].blocks[0]),
            parameters=outline.parameters,
        )  # fmt: skip
    return tr(
        "{network}: image {shape}; {stages}; {parameters:,} parameters.",
        network=outline.network, shape=_shape(outline.image), stages=stages, parameters=outline.parameters,
    )  # fmt: skip


def _stage_words(stage: Stage) -> str:
    """`stage 2: 3 blocks of two 3×3 layers, one zero-padded and two identity shortcuts`."""
    numbered = stage.name.startswith("stage")
    pieces = []
    for words, group in groupby(stage.blocks, _layers_words):
        blocks = list(group)
        number = sum(len(block.names) for block in blocks)
        if len(boxed(blocks[0].layers)) < 2:
            pieces.append(words if number == 1 else tr("{number} times {words}", number=number, words=words))
        elif number == 1:
            pieces.append(tr("1 block of {words}", words=words + _shortcut_words(blocks)))
        else:
            pieces.append(tr("{number} blocks of {words}", number=number, words=words + _shortcut_words(blocks)))
    told_in_turn = reduce(lambda first, then: tr("{first}, then {second}", first=first, second=then), pieces)
    return f"{stage_title(stage.name)}{':' * numbered} {told_in_turn}"


def _layers_words(block: Block) -> str:
    """`3×3 conv, 16`, `two 3×3 layers`, `1×1, 3×3 and 1×1 layers`, `4 branches side by side`."""
    paths = straight(block)
    if len(paths) > 1:
        return tr("{number} branches side by side", number=len(paths))
    layers = boxed(paths[0].layers) or list(paths[0].layers)
    if len(layers) == 1 or not boxed(layers):
        return ", ".join(layer.text for layer in layers)
    *kernels, last = (layer.text.split(" ")[0] for layer in layers)
    if set(kernels) == {last}:
        return tr("{number} {kernel} layers", number=_number(len(layers)), kernel=last)
    return tr("{kernels} and {last} layers", kernels=", ".join(kernels), last=last)


def _shortcut_words(blocks: Iterable[Block]) -> str:
    kinds: Counter[str] = Counter()
    gated = False
    for block in blocks:
        kinds.update({_SHORTCUTS[path.kind]: len(block.names) for path in block.paths if path.kind in _SHORTCUTS})
        gated = gated or block.join == "gate"
    words = [
        told(kind) if len(kinds) == 1 else tr("{number} {kind}", number=_number(number), kind=told(kind))
        for kind, number in kinds.items()
    ]
    if not words:
        return ""
    said = reduce(lambda some, last: tr("{some} and {last}", some=some, last=last), words)
    if kinds.total() == 1:
        ending = tr("{kinds} shortcut, gated", kinds=said) if gated else tr("{kinds} shortcut", kinds=said)
    else:
        ending = tr("{kinds} shortcuts, gated", kinds=said) if gated else tr("{kinds} shortcuts", kinds=said)
    return f", {ending}"


def _number(number: int) -> str:
    return told(_NUMBERS[number]) if number < len(_NUMBERS) else str(number)
