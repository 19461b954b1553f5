"""A network as PyTorch code that runs without this program: only what this network needs, under the same names."""

import io
import re
import textwrap
import zipfile
from collections.abc import Iterator

import torch

from explorer.checkpoints import Trained, to_safetensors
from explorer.config import NetworkConfig
from explorer.errors import RequestError
from explorer.language import tr
from explorer.network_config import vgg_layers
from explorer.records import Provenance
from explorer.summary import summary

Files = dict[str, bytes]
"""By name."""


def files(config: NetworkConfig, trained: Trained | None = None, provenance: Provenance | None = None) -> Files:
    """The code as one file, and of a trained network its weights for torch, as safetensors, and where they come from.

    `weights.pt` holds `state_dict`, `mean` and `std`; it is read with `weights_only=True`.
    """
    name = module_name(config)
    found = {f"{name}.py": source(config).encode()}
    if trained is None:
        return found
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in trained.network.state_dict().items()}
    buffer = io.BytesIO()
    normalization = {"mean": trained.normalization.mean, "std": trained.normalization.std}
    torch.save({"network": config.name, "state_dict": state, **normalization}, buffer)
    readme = _readme(config, name, provenance)
    return {
        **found,
        "weights.pt": buffer.getvalue(),
        "weights.safetensors": to_safetensors(trained),
        "README.txt": readme.encode(),
    }


def archive(config: NetworkConfig, trained: Trained | None = None, provenance: Provenance | None = None) -> bytes:
    """The same files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files(config, trained, provenance).items():
            packed.writestr(f"{module_name(config)}/{name}", content)
    return buffer.getvalue()


def module_name(config: NetworkConfig) -> str:
    """A name that Python can import: `resnet_20_shortcut_b`."""
    return re.sub(r"\W+", "_", config.name.replace("=-", "=minus-")).strip("_").lower()


def source(config: NetworkConfig) -> str:
    """Self-contained code of the network `config`."""
    if config.block == "inception":
        raise RequestError("GoogLeNet is torchvision's: import it with torchvision.models.googlenet")
    if config.block not in ("basic", "bottleneck", "vgg"):
        raise RequestError(tr("{network} is of blocks that cannot be written as code yet", network=config.name))
    body = _vgg(config) if config.block == "vgg" else _residual(config)
    return _head(config) + "\n\n" + body + "\n\n" + _tail(config)


def _head(config: NetworkConfig) -> str:
    counts = summary(config)
    side = counts.image[1]
    imports = "from pathlib import Path\n\nimport torch\nfrom torch import nn\n"
    if config.shortcut in ("A", "gate"):
        imports += "from torch.nn import functional\n"
    return (
        f'"""{config.name}\n\n'
        f"{counts.weighted_layers} layers, {counts.parameters:,} parameters, {counts.macs:,} multiply-adds "
        f"for {side}x{side} pixels.\n\n"
        'From "Deep Residual Learning for Image Recognition" (He, Zhang, Ren, Sun, 2015) and its relatives,\n'
        "written by Residual Explorer. Needs torch alone. `Network()` is the network as PyTorch initialises it;\n"
        "`load()` reads weights.pt.\n"
        '"""\n\n' + imports
    )


def _tail(config: NetworkConfig) -> str:
    side = summary(config).image[1]
    return _dedented(f'''
        def load(path="weights.pt"):
            """The trained network in evaluation mode, and a function that normalises uint8 images (N, 3, H, W)."""
            content = torch.load(path, weights_only=True)
            network = Network()
            network.load_state_dict(content["state_dict"])
            return network.eval(), lambda images: (images.float() / 255 - content["mean"]) / content["std"]


        if __name__ == "__main__":
            weights = Path(__file__).with_name("weights.pt")
            network = load(weights)[0] if weights.exists() else Network().eval()
            with torch.no_grad():
                logits = network(torch.rand(1, 3, {side}, {side}))
            parameters = sum(parameter.numel() for parameter in network.parameters())
            print(parameters, "parameters, logits", tuple(logits.shape))
        ''')


def _residual(config: NetworkConfig) -> str:
    parts = []
    if config.shortcut in ("B", "C"):
        parts.append(_projection(config))
    if config.skipinit:
        parts.append(_SCALE)
    parts += [_block(config), _stage(config), _network(config)]
    return "\n\n".join(_dedented(part) for part in parts)


_SCALE = '''
class Scale(nn.Module):
    """A learnt factor that starts at 0."""

    def __init__(self):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return self.alpha * x
'''


def _projection(config: NetworkConfig) -> str:
    norm = "        self.bn = nn.BatchNorm2d(out_channels)\n" if config.bn else ""
    value = "self.bn(self.conv(x))" if config.bn else "self.conv(x)"
    return (
        "class Projection(nn.Module):\n"
        f'    """A shortcut that changes the shape: a 1x1 convolution{" and BN" if config.bn else ""}."""\n\n'
        "    def __init__(self, in_channels, out_channels, stride):\n"
        "        super().__init__()\n"
        f"        self.conv = nn.Conv2d(in_channels, out_channels, 1, stride, bias={not config.bn})\n{norm}\n"
        f"    def forward(self, x):\n        return {value}\n"
    )


def _block(config: NetworkConfig) -> str:
    """The block class: its layers in the order of the signal, then how they meet the shortcut."""
    arguments = ["in_channels", "channels", "stride"]
    arguments += ["survival"] if config.survival != 1 else []
    arguments += ["first"] if config.preactivation and config.shortcut in ("A", "B", "C") else []
    made = [*_layers(config), *_join_parts(config)]
    lines = [
        "class Block(nn.Module):",
        f'    """{_block_words(config)}"""',
        "",
        f"    def __init__(self, {', '.join(arguments)}):",
        "        super().__init__()",
        *(f"        {line}" for line in made),
        "",
        "    def forward(self, x):",
        *(f"        {line}" for line in _forward(config)),
    ]
    return "\n".join(lines)


def _block_words(config: NetworkConfig) -> str:
    layers = "1x1, 3x3, 1x1 layers" if config.block == "bottleneck" else "Two 3x3 layers"
    words = {"none": f"{layers}.", "gate": f"{layers} H, a gate T: T(x) H(x) + (1 - T(x)) x."}
    after = "F(x) + x" if config.preactivation else "relu(F(x) + x)"
    return words.get(config.shortcut, f"{layers} F: {after}.")


def _layers(config: NetworkConfig) -> Iterator[str]:
    bottleneck = config.block == "bottleneck"
    strides = ["stride", "1"] if config.stride_in == "1x1" or not bottleneck else ["1", "stride"]
    widths = ["in_channels", "channels", "channels", *(["4 * channels"] if bottleneck else [])]
    kernels = (1, 3, 1) if bottleneck else (3, 3)
    for index, kernel in enumerate(kernels, 1):
        before, after = widths[index - 1], widths[index]
        stride = [*strides, "1"][index - 1]
        form = f"{before}, {after}, {kernel}, {stride}, {_padding(kernel)}bias={not config.bn}"
        conv = f"self.conv{index} = nn.Conv2d({form})"
        norm = f"self.bn{index} = nn.BatchNorm2d({before if config.preactivation else after})"
        pair = [norm, conv] if config.preactivation else [conv, norm]
        yield from (line for line in pair if config.bn or line is not norm)
    if config.dropout:
        yield f"self.dropout = nn.Dropout({config.dropout:g})"


def _padding(kernel: int) -> str:
    return f"padding={kernel // 2}, " if kernel > 1 else ""


def _join_parts(config: NetworkConfig) -> Iterator[str]:
    out = "4 * channels" if config.block == "bottleneck" else "channels"
    if config.shortcut in ("A", "gate"):
        yield "self.stride = stride"
        yield f"self.new_channels = {out} - in_channels"
    if config.shortcut == "B":
        yield f"changes_shape = stride != 1 or in_channels != {out}"
        yield f"self.shortcut = Projection(in_channels, {out}, stride) if changes_shape else None"
    if config.shortcut == "C":
        yield f"self.shortcut = Projection(in_channels, {out}, stride)"
    if config.shortcut == "gate":
        yield 'self.gate = nn.ModuleDict({"conv": nn.Conv2d(in_channels, channels, 1, stride)})'
    if config.skipinit:
        yield "self.scale = Scale()"
    if config.survival != 1:
        yield "self.survival = survival"
    if config.preactivation and config.shortcut in ("A", "B", "C"):
        yield "self.first = first"


def _forward(config: NetworkConfig) -> Iterator[str]:
    def norm(index: int, value: str) -> str:
        return f"self.bn{index}({value})" if config.bn else value

    count = 3 if config.block == "bottleneck" else 2
    if config.preactivation:
        yield f"active = {norm(1, 'x')}.relu()"
        yield from _carried(config)
        yield "out = self.conv1(active)"
        for index in range(2, count + 1):
            value = f"{norm(index, 'out')}.relu()"
            yield f"out = self.conv{index}({f'self.dropout({value})' if config.dropout else value})"
    else:
        yield from _carried(config)
        for index in range(1, count + 1):
            value = norm(index, f"self.conv{index}({'x' if index == 1 else 'out'})")
            yield f"out = {value}" + (".relu()" if index < count or config.shortcut in ("gate", "none") else "")
            if config.dropout and index < count:
                yield "out = self.dropout(out)"
    yield from _joined(config)


def _carried(config: NetworkConfig) -> Iterator[str]:
    """What comes over the shortcut, and in training whether only that does."""
    if config.shortcut == "none":
        return
    start = "x"
    if config.preactivation:
        start = "start"
        yield {
            "A": "start = active if self.first else x",
            "B": "start = x if self.shortcut is None and not self.first else active",
            "C": "start = active",
        }[config.shortcut]
    if config.shortcut in ("A", "gate"):
        yield "# every second pixel where the map is halved, zeros for new channels"
        if config.zeros == "around":
            yield "before = self.new_channels // 2"
        zeros = "before, self.new_channels - before" if config.zeros == "around" else "0, self.new_channels"
        yield f"carried = {start}[:, :, :: self.stride, :: self.stride]"
        yield f"carried = functional.pad(carried, (0, 0, 0, 0, {zeros}))"
    elif config.shortcut == "B":
        yield f"carried = {start} if self.shortcut is None else self.shortcut({start})"
    else:
        yield f"carried = self.shortcut({start})"
    if config.strength != 1:
        yield f"carried = {config.strength:g} * carried"
    if config.survival != 1:
        yield "if self.training and torch.rand(()) >= self.survival:"
        yield f"    return carried{'' if config.preactivation else '.relu()'}  # stochastic depth leaves F out"


def _joined(config: NetworkConfig) -> Iterator[str]:
    if config.shortcut == "none":
        yield "return out"
        return
    if config.shortcut == "gate":
        yield 'gate = self.gate["conv"](x).sigmoid()'
        yield "return gate * out + (1 - gate) * carried"
        return
    if config.skipinit:
        yield "out = self.scale(out)"
    if config.survival != 1:
        yield "out = out if self.training else self.survival * out"
    yield "return out + carried" if config.preactivation else "return (out + carried).relu()"


def _stage(config: NetworkConfig) -> str:
    expansion = "4 * channels" if config.block == "bottleneck" else "channels"
    shares = config.preactivation and config.shortcut in ("A", "B", "C")
    survival = config.survival != 1
    arguments = "in_channels, channels, stride, " + ("survivals" if survival else "blocks")
    arguments += ", first=False" if shares else ""
    head = "in_channels, channels, stride" + (", survivals[0]" if survival else "") + (", first" if shares else "")
    rest = f"{expansion}, channels, 1" + (", survival" if survival else "") + (", False" if shares else "")
    loop = "survival in survivals[1:]" if survival else "_ in range(blocks - 1)"
    return (
        f"def stage({arguments}):\n"
        '    """Blocks in a row; the first one changes the shape."""\n'
        f"    rest = (Block({rest}) for {loop})\n"
        f"    return nn.Sequential(Block({head}), *rest)\n"
    )


def _network(config: NetworkConfig) -> str:
    expansion = 4 if config.block == "bottleneck" else 1
    small = config.design == "cifar"
    last = config.width * 2 ** (len(config.blocks) - 1) * expansion
    stem = f"3, {config.width}, {'3, 1, padding=1' if small else '7, 2, padding=3'}, bias={not config.bn}"
    lines = [
        "class Network(nn.Module):",
        '    """Stem, stages of blocks, global average pooling, a linear head."""',
        "",
        "    def __init__(self):",
        "        super().__init__()",
        f"        self.conv = nn.Conv2d({stem})",
    ]
    if config.bn:
        lines.append(f"        self.bn = nn.BatchNorm2d({last if config.preactivation else config.width})")
    if not small:
        lines.append("        self.maxpool = nn.MaxPool2d(3, 2, padding=1)")
    lines += [f"        {line}" for line in _stage_calls(config, expansion)]
    lines += [f"        self.head = nn.Linear({last}, {config.classes})", "", "    def forward(self, images):"]
    lines += [f"        {line}" for line in _network_forward(config, small)]
    return "\n".join(lines)


def _stage_calls(config: NetworkConfig, expansion: int) -> Iterator[str]:
    in_channels, done, total = config.width, 0, sum(config.blocks)
    for index, count in enumerate(config.blocks):
        channels = config.width * 2**index
        what = f"blocks={count}"
        if config.survival != 1:
            survivals = [1 - (done + block + 1) / total * (1 - config.survival) for block in range(count)]
            what = f"({', '.join(f'{survival:.9g}' for survival in survivals)},)"
        first = ", first=True" if config.preactivation and config.shortcut in ("A", "B", "C") and not index else ""
        yield f"self.stage{index + 1} = stage({in_channels}, {channels}, {2 if index else 1}, {what}{first})"
        in_channels, done = channels * expansion, done + count


def _network_forward(config: NetworkConfig, small: bool) -> Iterator[str]:
    active = "self.bn({}).relu()" if config.bn else "{}.relu()"
    stem = "self.conv(images)"
    yield f"x = {stem if config.preactivation else active.format(stem)}"
    if not small:
        yield "x = self.maxpool(x)"
    for index in range(1, len(config.blocks) + 1):
        yield f"x = self.stage{index}(x)"
    if config.preactivation:
        yield f"x = {active.format('x')}"
    yield "return self.head(x.mean(dim=(2, 3)))"


def _vgg(config: NetworkConfig) -> str:
    layers, before = [], 3
    for channels in vgg_layers(config.depth):
        if channels is None:
            layers.append("nn.MaxPool2d(2, 2),")
            continue
        layers.append(f"nn.Conv2d({before}, {channels}, 3, padding=1),")
        layers += [f"nn.BatchNorm2d({channels}),"] if config.bn else []
        layers.append("nn.ReLU(),")
        before = channels
    head = [
        "nn.Linear(512 * 7 * 7, 4096),", "nn.ReLU(),", "nn.Dropout(),",
        "nn.Linear(4096, 4096),", "nn.ReLU(),", "nn.Dropout(),", f"nn.Linear(4096, {config.classes}),",
    ]  # fmt: skip
    inside = "\n".join(f"            {line}" for line in layers)
    ending = "\n".join(f"            {line}" for line in head)
    return (
        "class Network(nn.Module):\n"
        '    """3x3 convolutions, max pooling between the stages, three linear layers."""\n\n'
        "    def __init__(self):\n        super().__init__()\n"
        f"        self.features = nn.Sequential(\n{inside}\n        )\n"
        "        self.avgpool = nn.AdaptiveAvgPool2d(7)\n"
        f"        self.classifier = nn.Sequential(\n{ending}\n        )\n\n"
        "    def forward(self, images):\n"
        "        return self.classifier(self.avgpool(self.features(images)).flatten(1))\n"
    )


def _readme(config: NetworkConfig, name: str, provenance: Provenance | None) -> str:
    lines = [
        f"{config.name}, written by Residual Explorer.",
        "",
        f"{name}.py: the network, needs torch alone; run it to see that it reads its weights",
        "weights.pt: state_dict, mean and std; torch.load(..., weights_only=True)",
        "weights.safetensors: the same tensors for exchange",
        "",
        "Images go in as uint8 (N, 3, H, W): network, normalized = load(); network(normalized(images)).",
    ]
    if provenance:
        trained = f"{provenance.origin}, {provenance.date[:10]}, {provenance.device}, {provenance.precision}"
        lines += ["", f"Trained: {trained}.", f"Images: {provenance.data}."]
    return "\n".join(lines) + "\n"


def _dedented(text: str) -> str:
    return textwrap.dedent(text).strip("\n") + "\n"
