"""What a network consists of, as values: stages of blocks of layers, counted for one image. No torch here.

Blocks that are alike and follow each other are held once, with the names of all: the outline of 1202 layers is as
short as that of 20.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

Shape = tuple[int, int, int]
"""Channels, height, width of one image's output."""


@dataclass(frozen=True)
class Layer:
    """One operation: a convolution, a normalisation, an activation, a pooling, a linear layer."""

    name: str
    """The module's name in the network, `stage1.0.conv1`: stable and unique."""
    kind: str
    """convolution · linear · normalization · activation · pooling · scale · gate · other"""
    text: str
    """As the paper's figures write it: `3×3 conv, 64, /2`."""
    output: Shape
    parameters: int
    macs: int
    """Multiply-adds of convolutions and linear layers: what the paper calls FLOPs; 0 for all others."""


@dataclass(frozen=True)
class Path:
    """One way from a block's input to its join."""

    kind: str
    """residual (the layers F; also those of a plain network) · identity · padded (option A where the shape changes)
    · projection · gate (T of a Highway block) · branch (of an Inception block)"""
    layers: tuple[Layer, ...] = ()
    text: str = ""
    """What stands beside it, where no layer says it: `zeros for 16 channels`, `× 0.5`."""


@dataclass(frozen=True)
class Block:
    """What is between two points of the main path; `names` holds all blocks in a row that are alike."""

    names: tuple[str, ...]
    """`stage1.1` … `stage1.8`: stable, unique over the network."""
    input: Shape
    output: Shape
    paths: tuple[Path, ...]
    """The main path first."""
    join: str
    """Where the paths meet: add · gate (y = T·H + (1-T)·x) · concatenate · none (there is one path)."""
    after: tuple[Layer, ...]
    """What follows the join, inside the block: the second nonlinearity."""
    formula: str
    """`y = σ(F(x) + x)`; empty where there is nothing to say."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All of one block's, path by path."""
        return (*(layer for path in self.paths for layer in path.layers), *self.after)

    @property
    def parameters(self) -> int:
        """Of one of them."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Of one of them."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weighted_layers(self) -> int:
        """Convolutions and linear layers that count into the depth, of one block; projections and gates do not.

        Of branches side by side the longest counts: 22 layers for GoogLeNet.
        """
        paths = [path for path in self.paths if path.kind in ("residual", "branch")]
        return max(sum(layer.kind in ("convolution", "linear") for layer in path.layers) for path in paths)


@dataclass(frozen=True)
class Stage:
    """A part of the network; within stages 1 to 4 all outputs have one size."""

    name: str
    """stem · stage1 … stage5 · head"""
    label: str
    """`conv2_x` as Table 1 calls it, or empty."""
    blocks: tuple[Block, ...]

    @property
    def output(self) -> Shape:
        """Of its last block."""
        return self.blocks[-1].output

    @property
    def parameters(self) -> int:
        """Of all its blocks."""
        return sum(block.parameters * len(block.names) for block in self.blocks)

    @property
    def macs(self) -> int:
        """Of all its blocks."""
        return sum(block.macs * len(block.names) for block in self.blocks)

    @property
    def weighted_layers(self) -> int:
        """Of all its blocks."""
        return sum(block.weighted_layers * len(block.names) for block in self.blocks)


@dataclass(frozen=True)
class Outline:
    """A whole network for square images of one size."""

    network: str
    """Its name."""
    image: Shape
    """What goes in: of a part, what the network gives it."""
    stages: tuple[Stage, ...]
    part: str = ""
    """The block that this is, of the network; empty for all of it."""

    @property
    def parameters(self) -> int:
        """All that is learnt: weights, BN's gamma and beta, biases (as Table 6 counts)."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return sum(stage.macs for stage in self.stages)

    @property
    def weighted_layers(self) -> int:
        """The depth as the paper counts it."""
        return sum(stage.weighted_layers for stage in self.stages)

    @property
    def values(self) -> int:
        """Numbers that all layers put out for one image: what training keeps until the gradients are computed."""
        return sum(_size(layer.output) for layer in self.layers())

    def layers(self) -> Iterator[Layer]:
        """Every layer in the order of the signal, repeated blocks unfolded, each under its own name."""
        for stage in self.stages:
            for block in stage.blocks:
                for name in block.names:
                    for layer in block.layers:
                        yield replace(layer, name=layer.name.replace(block.names[0], name, 1))


def part(outline: Outline, name: str) -> Outline:
    """One block of a network alone. Raises KeyError for a block that it does not have."""
    for stage in outline.stages:
        for block in stage.blocks:
            if name in block.names:
                alone = replace(block, names=block.names[:1])  # its layers are named after the first
                return Outline(outline.network, block.input, (Stage(stage.name, "", (alone,)),), name)
    raise KeyError(name)


def _size(shape: Shape) -> int:
    channels, height, width = shape
    return channels * height * width
