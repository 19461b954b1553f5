"""The panel of Inception's parallel paths: a module beside a residual block of the same map size, drawn and counted."""

import streamlit as st

from explorer.config import network
from explorer.language import later, told, tr
from explorer.outline import Block, Outline, Path, part
from explorer.ui import address, architecture, controls, frame
from explorer.ui.drawing import drawing

_MODULES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
_BLOCKS = {"resnet-34@imagenet": later("two 3×3 layers"), "resnet-50@imagenet": later("bottleneck")}
_ABOUT = later(
    "What you are looking at: the same drawing as on the page Architecture, of one module each, where the maps have "
    "the same size. Section 2, *Shortcut Connections* (reference 44: Szegedy et al. 2015), reads an Inception layer as "
    "a shortcut branch and a few deeper branches. Its shortest branch is still a learnt 1×1 convolution and is joined "
    "to the others, not added: the input itself is not carried on. GoogLeNet is torchvision's, with BN, and with 3×3 "
    "layers where the original has 5×5. Press a block for its layers."
)


def panel() -> None:
    """One of GoogLeNet's modules, and a residual block beside it."""
    st.header(tr("Is an Inception module a block with a shortcut?"), anchor=False)
    left, right = st.columns([3, 2])
    with address.kept("inception-module", "4b", _MODULES):
        module = left.select_slider(
            tr("Inception module"), _MODULES, format_func=lambda name: f"inception{name}", key="inception-module",
            help=tr("The nine modules of GoogLeNet, from the image to the classes."),
        )  # fmt: skip
    with right:
        name = controls.pick(
            tr("Residual block"), list(_BLOCKS), "resnet-50@imagenet", "inception-block",
            lambda name: told(_BLOCKS[name]),
            means=tr("The two kinds of Figure 5: 3×3, 3×3, as in 34 layers; or 1×1, 3×3, 1×1, as in 50 and more."),
        )  # fmt: skip
    inception = part(architecture.outline(network("googlenet")), f"inception{module}")
    residual = part(architecture.outline(network(name)), f"stage{int(module[0]) - 1}.1")
    frame.finding([_inception(inception), _residual(residual)], tr("Counted from the networks, for one 224×224 image."))
    with st.columns([5, 2])[0]:
        drawing([inception, residual], key=f"inception-{module}-{name}")
    st.caption(told(_ABOUT))


def _inception(outline: Outline) -> str:
    block = _block(outline)
    depths = sorted(_layers(block))
    least = min(sum(layer.parameters for layer in path.layers) for path in block.paths)
    return tr(
        "**{name}** has {paths} paths side by side, of {depths} learnt layers, joined: {input:,} channels become "
        "{output:,}. None is free: the cheapest has {least:,} of its {parameters:,} parameters.",
        name=outline.part, paths=len(depths), depths=", ".join(map(str, depths)), input=block.input[0],
        output=block.output[0], least=least, parameters=block.parameters,
    )  # fmt: skip


def _residual(outline: Outline) -> str:
    block = _block(outline)
    deep, shallow = _layers(block)
    shortcut = block.paths[1]
    return tr(
        "**The residual block** ({name} of {network}) has {paths} paths, of {shallow} and {deep} learnt layers, added: "
        "{channels:,} channels stay {channels:,}. The shortcut has {free} parameters, the block {parameters:,}.",
        name=outline.part, network=outline.network.partition("@")[0], paths=len(block.paths), deep=deep,
        shallow=shallow, channels=block.output[0], free=sum(layer.parameters for layer in shortcut.layers),
        parameters=block.parameters,
    )  # fmt: skip


def _block(outline: Outline) -> Block:
    return outline.stages[0].blocks[0]


def _layers(block: Block) -> list[int]:
    """Learnt layers of each path."""
    return [_learnt(path) for path in block.paths]


def _learnt(path: Path) -> int:
    return sum(layer.kind == "convolution" for layer in path.layers)
