"""What a network consists of and what it costs: counted without weights, and without computing anything large.

A stage's second block stands for all that follow it, so 1202 layers take as long as 20.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn

from explorer.config import NetworkConfig, depths
from explorer.families import WHOLE
from explorer.networks.blocks import IdentityShortcut, ProjectionShortcut, Scale
from explorer.networks.residual import ResidualNetwork
from explorer.networks.residual_blocks import Block as ResidualBlock
from explorer.outline import Block, Layer, Outline, Path, Shape, Stage

_Blocks = list[tuple[tuple[str, ...], nn.Module | None, list[str]]]
"""For each block its names, the module if it is one, and its layers' names."""
_Part = tuple[str, _Blocks]
"""A stage's name and its blocks."""

_SMALL = 1_000_000  # values of a network and of a channel of its image: gone through in hundredths of a second


@lru_cache(maxsize=256)
def summary(config: NetworkConfig, image_size: int | None = None) -> Outline:
    """The outline of a network for square images: of 32 pixels on CIFAR, of 224 on ImageNet, unless told."""
    side = image_size or (32 if config.design == "cifar" else 224)
    network, layers = _traced(_shallowest(config), side)
    image = shape = (3, side, side)
    stages = []
    for name, blocks in _parts(network, config):
        made = []
        for names, module, own in blocks:
            made.append(_block(config, names, module, [layers[layer] for layer in own if layer in layers], shape))
            shape = made[-1].output
        stages.append(Stage(name, _label(config, name), tuple(made)))
    return Outline(config.name, image, tuple(stages))


def _shallowest(config: NetworkConfig) -> NetworkConfig:
    """A network with the same layers up to the second block of each stage: on CIFAR all depths share one."""
    return (
        replace(config, depth=depths(config.block)[min(config.blocks[0], 2) - 1])
        if config.design == "cifar"
        else config
    )


@lru_cache(maxsize=64)
def _traced(config: NetworkConfig, side: int) -> tuple[nn.Module, dict[str, Layer]]:
    """The network, with at most two blocks in each stage unless torchvision built it, and its layers.

    It is built on the meta device: nothing is allocated or drawn. A small one then goes through its layers with
    whatever its memory holds, since torch takes a second to import what the meta device computes with.
    """
    with torch.device("meta"):
        if config.block in WHOLE:
            from explorer.networks.whole import whole  # torchvision takes a second to import, and few need it

            network = whole(config).eval()
        else:
            network = ResidualNetwork(config, tuple(min(count, 2) for count in config.blocks)).eval()
    kept, device = network.state_dict(), "meta"
    if side**2 + sum(value.numel() for value in kept.values()) <= _SMALL:
        device = "cpu"
        given = {name: torch.empty(value.shape, dtype=value.dtype) for name, value in kept.items()}
        network.load_state_dict(given, assign=True)
    return network, _layers(network, torch.empty(1, 3, side, side, device=device))


def _parts(network: nn.Module, config: NetworkConfig) -> Iterable[_Part]:
    """Stages and their blocks in the order of the signal."""
    if isinstance(network, ResidualNetwork):
        return _residual_parts(network, config)
    return _vgg_parts(network) if config.block == "vgg" else _googlenet_parts(network)


def _residual_parts(network: ResidualNetwork, config: NetworkConfig) -> Iterator[_Part]:
    normalized = ["bn", "relu"]
    yield "stem", [(("conv",), None, ["conv", *([] if config.preactivation else normalized)])]
    for (name, stage), count in zip(network.stages.items(), config.blocks, strict=True):
        blocks: _Blocks = [(("maxpool",), None, ["maxpool"])] if name == "stage1" and network.maxpool else []
        for index, block in enumerate(stage):
            names = (f"{name}.{index}",) if index == 0 else tuple(f"{name}.{later}" for later in range(1, count))
            blocks.append((names, block, _leaves(block, names[0])))
        yield name, blocks
    before: _Blocks = [(("bn",), None, normalized)] if config.preactivation else []
    yield "head", [*before, (("pool",), None, ["pool"]), (("head",), None, ["head"])]


def _vgg_parts(network: nn.Module) -> Iterator[_Part]:
    """Each pooling begins a stage, as in Fig. 3; the last one the head."""
    stage, blocks = 1, cast(_Blocks, [])
    for name, module in network.get_submodule("features").named_children():
        own = f"features.{name}"
        if isinstance(module, nn.MaxPool2d):
            yield f"stage{stage}", blocks
            stage, blocks = stage + 1, cast(_Blocks, [])
        if isinstance(module, nn.Conv2d | nn.MaxPool2d):
            blocks.append(((own,), None, [own]))
        else:
            blocks[-1][2].append(own)
    for name, module in network.get_submodule("classifier").named_children():
        own = f"classifier.{name}"
        if isinstance(module, nn.Linear):
            blocks.append(((own,), None, [own]))
        elif isinstance(module, nn.ReLU):
            blocks[-1][2].append(own)
    yield "head", blocks


def _googlenet_parts(network: nn.Module) -> Iterator[_Part]:
    stages = {
        "stem": ["conv1"],
        "stage1": ["maxpool1", "conv2", "conv3"],
        "stage2": ["maxpool2", "inception3a", "inception3b"],
        "stage3": ["maxpool3", *(f"inception4{letter}" for letter in "abcde")],
        "stage4": ["maxpool4", "inception5a", "inception5b"],
        "head": ["avgpool", "fc"],
    }
    for name, children in stages.items():
        modules = {child: network.get_submodule(child) for child in children}
        yield name, [((child,), module, _leaves(module, child)) for child, module in modules.items()]


def _leaves(module: nn.Module, prefix: str) -> list[str]:
    """Names of the layers in a module, or its own if it is one."""
    return [f"{prefix}.{name}" if name else prefix for name, child in module.named_modules() if _is_leaf(child)]


def _is_leaf(module: nn.Module) -> bool:
    return not list(module.children())


def _layers(network: nn.Module, image: Tensor) -> dict[str, Layer]:
    """Every layer that a forward pass goes through, by its name, in the order of the signal."""
    layers: dict[str, Layer] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, _inputs: Any, output: Tensor) -> None:
            layers[name] = _layer(name, module, _shape(output))

        return hook

    for name, module in network.named_modules():
        if _is_leaf(module):
            module.register_forward_hook(keep(name))
        if isinstance(module, nn.BatchNorm2d):
            module.forward = lambda x: x  # type: ignore[assignment, method-assign] # the same shape, without a slow meta kernel
    with torch.no_grad():
        network(image)
    return layers


def _shape(output: Tensor) -> Shape:
    channels, height, width = (*output.shape[1:], 1, 1)[:3]
    return (channels, height, width)


def _layer(name: str, module: nn.Module, output: Shape) -> Layer:
    kind, text, macs = "other", type(module).__name__, 0
    match module:
        case nn.Conv2d():
            kernel, stride = module.kernel_size[0], module.stride[0]
            kind, text = (
                "convolution",
                f"{kernel}×{kernel} conv, {module.out_channels}"
                + (f", C={module.groups}" * (module.groups > 1))
                + (f", /{stride}" * (stride > 1)),
            )
            macs = math.prod(output) * module.weight[0].numel()
        case nn.Linear():
            kind, text, macs = "linear", f"fc {module.out_features}", module.in_features * module.out_features
        case nn.BatchNorm2d():
            kind, text = "normalization", "BN"
        case nn.ReLU():
            kind, text = "activation", "ReLU"
        case nn.Sigmoid():
            kind, text = "activation", "σ"
        case nn.MaxPool2d():
            kind, text = "pooling", "max pool" + (f", /{module.stride}" * (module.stride != 1))
        case nn.AdaptiveAvgPool2d():
            kind, text = "pooling", "avg pool"
        case Scale():
            kind, text = "scale", "× α"
    return Layer(name, kind, text, output, sum(parameter.numel() for parameter in module.parameters()), macs)


def _block(
    config: NetworkConfig, names: tuple[str, ...], module: nn.Module | None, layers: list[Layer], entry: Shape
) -> Block:
    """Sort a block's layers by the path that they stand on."""
    real = [layer for layer in layers if layer.kind != "other"]
    if isinstance(module, ResidualBlock):
        return _residual_block(config, names, module, real, entry)
    branches = _grouped(real, names[0]) if module is not None and len(real) > 3 else {}
    if branches:  # an Inception block
        paths = tuple(Path("branch", tuple(branch)) for branch in branches.values())
        channels = sum(path.layers[-1].output[0] for path in paths)
        return Block(names, entry, (channels, *real[-1].output[1:]), paths, "concatenate", (), "")
    return Block(names, entry, real[-1].output, (Path("residual", tuple(real)),), "none", (), "")


def _grouped(layers: Iterable[Layer], prefix: str) -> dict[str, list[Layer]]:
    """Layers by the part of the block that they belong to."""
    groups: dict[str, list[Layer]] = {}
    for layer in layers:
        groups.setdefault(layer.name.removeprefix(prefix).lstrip(".").split(".")[0], []).append(layer)
    return groups


def _residual_block(
    config: NetworkConfig, names: tuple[str, ...], module: ResidualBlock, layers: list[Layer], entry: Shape
) -> Block:
    groups = _grouped(layers, names[0])
    beside = {"shortcut", "gate"}
    main = tuple(layer for part, group in groups.items() if part not in beside for layer in group)
    inside = config.preactivation or config.shortcut == "gate"  # no activation after the join
    after = () if inside else tuple(layer for layer in main if layer.kind == "activation")[-1:]
    residual = Path("residual", tuple(layer for layer in main if layer not in after))
    output = main[-1].output
    paths = [residual]
    if module.shortcut is not None:
        paths.append(_shortcut(config, module.shortcut, tuple(groups.get("shortcut", ())), entry, output))
    if "gate" in groups:
        paths.append(Path("gate", tuple(groups["gate"]), "T = σ(W x + b)"))
    join = "none" if module.shortcut is None else "gate" if config.shortcut == "gate" else "add"
    return Block(names, entry, output, tuple(paths), join, after, _formula(config, paths))


def _shortcut(config: NetworkConfig, module: nn.Module, layers: tuple[Layer, ...], entry: Shape, output: Shape) -> Path:
    factor = f"× {config.strength:g}" if config.strength != 1 else ""
    if isinstance(module, ProjectionShortcut):
        return Path("projection", layers, factor)
    assert isinstance(module, IdentityShortcut)
    if entry == output:
        return Path("identity", (), factor)
    zeros = f"zeros for {module.new_channels} channels"
    return Path("padded", (), f"{zeros}, {factor}" if factor else zeros)


def _formula(config: NetworkConfig, paths: list[Path]) -> str:
    if len(paths) == 1:
        return "y = F(x)" if config.preactivation else "y = σ(F(x))"
    carried = {"identity": "x", "padded": "pad(x)", "projection": "Wₛ x"}[paths[1].kind]
    if config.shortcut == "gate":
        return f"y = T(x)·H(x) + (1 − T(x))·{carried}"
    factor = f"{config.strength:g}·" if config.strength != 1 else ""
    residual = "α·F(x)" if config.skipinit else "F(x)"
    if config.survival != 1:
        residual = "b·" + residual
    inside = f"{residual} + {factor}{carried}"
    return f"y = {inside}" if config.preactivation else f"y = σ({inside})"


def _label(config: NetworkConfig, stage: str) -> str:
    """What Table 1 calls it."""
    if config.design == "cifar" or config.block in WHOLE or stage == "head":
        return ""
    return "conv1" if stage == "stem" else f"conv{int(stage.removeprefix('stage')) + 1}_x"
