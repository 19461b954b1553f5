"""Small networks as outlines, written by hand."""

from dataclasses import replace

from explorer.outline import Block, Layer, Outline, Path, Shape, Stage


def conv(name: str, output: Shape, kernel: int = 3, stride: int = 1, inputs: int = 16) -> Layer:
    """A convolution without bias."""
    weights = kernel**2 * inputs * output[0]
    text = f"{kernel}×{kernel} conv, {output[0]}" + (f", /{stride}" if stride > 1 else "")
    return Layer(name, "convolution", text, output, weights, weights * output[1] * output[2])


def bn(name: str, output: Shape) -> Layer:
    """Gamma and beta."""
    return Layer(name, "normalization", "BN", output, 2 * output[0], 0)


def relu(name: str, output: Shape) -> Layer:
    """No weights."""
    return Layer(name, "activation", "ReLU", output, 0, 0)


def single(layer: Layer, entry: Shape, *others: Layer) -> Block:
    """One layer and what follows it."""
    return Block((layer.name,), entry, layer.output, (Path("residual", (layer, *others)),), "none", (), "")


def basic(names: tuple[str, ...], entry: Shape, output: Shape, *shortcuts: Path) -> Block:
    """Two 3×3 layers as in Fig. 2, with shortcuts or plain."""
    first, stride = names[0], entry[1] // output[1]
    residual = (
        conv(f"{first}.conv1", output, stride=stride, inputs=entry[0]),
        bn(f"{first}.bn1", output),
        relu(f"{first}.relu1", output),
        conv(f"{first}.conv2", output, inputs=output[0]),
        bn(f"{first}.bn2", output),
    )
    join, formula = ("add", "y = σ(F(x) + x)") if shortcuts else ("none", "y = σ(F(x))")
    after = (relu(f"{first}.relu2", output),)
    return Block(names, entry, output, (Path("residual", residual), *shortcuts), join, after, formula)


def preactivation(names: tuple[str, ...], entry: Shape) -> Block:
    """BN and ReLU before each layer, nothing after the sum."""
    block = basic(names, entry, entry, Path("identity"))
    conv1, bn1, relu1, conv2, bn2 = block.paths[0].layers
    return replace(
        block,
        paths=(Path("residual", (bn1, relu1, conv1, bn2, conv2)), Path("identity")),
        after=(),
        formula="y = F(x) + x",
    )


def highway(names: tuple[str, ...], entry: Shape) -> Block:
    """A block whose gate is a 1×1 layer."""
    block = basic(names, entry, entry)
    gate = (
        conv(f"{names[0]}.gate.conv", entry, kernel=1),
        Layer(f"{names[0]}.gate.sigmoid", "activation", "σ", entry, 0, 0),
    )
    paths = (block.paths[0], Path("identity"), Path("gate", gate, "T = σ(W x + b)"))
    return replace(block, paths=paths, join="gate", formula="y = T(x)·H(x) + (1 − T(x))·x")


def inception(name: str, entry: Shape) -> Block:
    """Three branches side by side."""
    first = (8, *entry[1:])
    branches = (
        (conv(f"{name}.branch1.conv", first, kernel=1), bn(f"{name}.branch1.bn", first)),
        (conv(f"{name}.branch2.0.conv", (4, *entry[1:]), kernel=1), conv(f"{name}.branch2.1.conv", (8, *entry[1:]))),
        (Layer(f"{name}.branch3.0", "pooling", "max pool", entry, 0, 0),),
    )
    output = (16 + entry[0], *entry[1:])
    return Block((name,), entry, output, tuple(Path("branch", one) for one in branches), "concatenate", (), "")


def outline(network: str, *stages: Stage, image: Shape = (3, 32, 32)) -> Outline:
    """A stem, stages, and a head."""
    entry = (16, *image[1:])
    stem = single(conv("conv", entry, inputs=3), image, bn("bn", entry), relu("relu", entry))
    channels = stages[-1].output[0]
    pool = Layer("pool", "pooling", "avg pool", (channels, 1, 1), 0, 0)
    head = Layer("head", "linear", "fc 10", (10, 1, 1), 10 * channels + 10, 10 * channels)
    ending = Stage("head", "", (single(pool, stages[-1].output), single(head, pool.output)))
    return Outline(network, image, (Stage("stem", "", (stem,)), *stages, ending))


def two_stages(network: str, n: int = 3, shortcut: str = "identity", changing: str = "padded") -> Outline:
    """Two stages of n blocks, the second of half the size; `shortcut=""` makes it plain."""
    small, large = (16, 32, 32), (32, 16, 16)
    same = (Path(shortcut),) if shortcut else ()
    layers = (conv("stage2.0.shortcut.conv", large, 1, 2), bn("stage2.0.shortcut.bn", large))
    changes = {
        "padded": Path("padded", (), "zeros for 16 channels"),
        "projection": Path("projection", layers),
    }
    other = (changes[changing],) if shortcut else ()
    first = (basic(("stage1.0",), small, small, *same), basic(names(1, n), small, small, *same))
    second = (basic(("stage2.0",), small, large, *other), basic(names(2, n), large, large, *same))
    return outline(network, Stage("stage1", "", first), Stage("stage2", "", second))


def names(stage: int, n: int) -> tuple[str, ...]:
    """Of all blocks but the first."""
    return tuple(f"stage{stage}.{index}" for index in range(1, n))


RESIDUAL = two_stages("resnet-14")
PLAIN = two_stages("plain-14", shortcut="")
