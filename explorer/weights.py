"""Weights that others trained: read without running code, matched to a network, with a report of what went where."""

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from explorer.config import NetworkConfig, network
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork

LARGEST_FILE = 512_000_000  # bytes: the largest network here, resnet-152, has weights of 240 MB
MEAN, STD = "normalization.mean", "normalization.std"
"""What our own files call the normalisation that goes with their weights."""
PUBLISHED = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Mean and standard deviation per channel that published weights were mostly trained with."""

_WRAPPERS = ("tensors", "state_dict", "model_state_dict", "model", "net", "weights")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
_NAMES = (
    (r"^conv1\.", "conv."),
    (r"^bn1\.", "bn."),
    (r"^layer(\d)\.", r"stage\1."),
    (r"\.(?:shortcut|downsample)\.0\.", ".shortcut.conv."),
    (r"\.(?:shortcut|downsample)\.1\.", ".shortcut.bn."),
    (r"^(?:linear|fc|classifier)\.", "head."),
)
_OPTIONAL = "num_batches_tracked"


@dataclass(frozen=True)
class Weights:
    """The tensors of a file, float32, under the names that the file gives them."""

    where: str
    tensors: dict[str, Tensor]
    normalization: Normalization | None
    """If the file says how images were normalised."""


@dataclass(frozen=True)
class Report:
    """What was matched with what."""

    how: str
    """names · structure (same shapes in the same order)"""
    pairs: tuple[tuple[str, str], ...]
    """Ours, theirs."""
    notes: tuple[str, ...] = ()


def read_file(path: Path) -> Weights:
    """The weights in a file: safetensors, a checkpoint of ours, or a state dict written by torch.save."""
    try:
        _check_size(path.stat().st_size, str(path))
        return read(path.read_bytes(), str(path))
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror}") from None


def read(content: bytes, where: str) -> Weights:
    """The weights in a file's content; `where` is its name for messages. No code in it is run."""
    _check_size(len(content), where)
    safe = where.endswith(".safetensors") or content[8:9] == b"{"
    named = _safetensors(content, where) if safe else _unwrapped(_torch_content(content, where), where)
    tensors = {name: _float32(name, value, where) for name, value in named.items()}
    mean, std = tensors.pop(MEAN, None), tensors.pop(STD, None)
    normalization = Normalization(mean, std) if mean is not None and std is not None else None
    return Weights(where, _without_prefix(tensors), normalization)


def published(name: str) -> Normalization:
    """The normalisation called `cifar10` or `imagenet`."""
    mean, std = (torch.tensor(values)[:, None, None] for values in PUBLISHED[name])
    return Normalization(mean, std)


def match(weights: Weights, config: NetworkConfig) -> tuple[ResidualNetwork, Report]:
    """The network of `config` with these weights, in evaluation mode; weights of another network are refused.

    By names where those are usual (torchvision's, those of the common CIFAR repositories, ours), else by structure:
    the first unused layer of the same kind and shape, in the order of the file.
    """
    if config.block in ("vgg", "inception"):
        raise RequestError(f"weights of {config.name} cannot be used here: choose a plain or residual network")
    model = build(config)
    own = model.state_dict()
    pairs, how = _by_names(weights.tensors, own), "names"
    if pairs is None:
        pairs, how = _by_structure(weights, own, config), "structure"
    model.load_state_dict({ours: weights.tensors[theirs] for ours, theirs in pairs.items()}, strict=False)
    return model.eval(), Report(how, tuple(pairs.items()))


def guess(weights: Weights) -> NetworkConfig | None:
    """Which residual network these weights seem to be of, by the shapes of their layers; None if none fits."""
    layers = _layers(weights.tensors)
    convolutions = [layer["weight"] for kind, layer in layers.values() if kind == "convolution"]
    heads = [layer["weight"] for kind, layer in layers.values() if kind == "linear"]
    if not convolutions or len(heads) != 1:
        return None
    options = f"width={convolutions[0].shape[0]},classes={heads[0].shape[0]}"
    if not any(kind == "normalization" for kind, _ in layers.values()):
        options += ",bn=off"
    for name in _candidates([tuple(conv.shape[1:3]) + (conv.shape[3],) for conv in convolutions]):
        try:
            config = network(f"{name}{',' if ':' in name else ':'}{options}")
            match(weights, config)
        except RequestError:
            continue
        return config
    return None


def identity(model: ResidualNetwork) -> str:
    """16 hex digits of the SHA-256 of all weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def variants(config: NetworkConfig, name: str, weights: Weights) -> tuple[NetworkConfig, ...]:
    """The networks that such weights can mean: no file says where option A puts its zero channels.

    One if the network has no such choice, if the name that was typed makes it, or if the file is one of ours.
    """
    if config.shortcut != "A" or "zeros=" in name or weights.normalization is not None:
        return (config,)
    return (replace(config, zeros="after"), replace(config, zeros="around"))


def _check_size(size: int, where: str) -> None:
    if size > LARGEST_FILE:
        raise RequestError(
            f"{where} has {size / 1e6:,.0f} MB; files of weights of up to {LARGEST_FILE / 1e6:.0f} MB are read"
        )


def _safetensors(content: bytes, where: str) -> dict[str, Tensor]:
    try:
        # such a file keeps no order: numbers in the names give it back
        return dict(sorted(load_safetensors(content).items(), key=lambda named: _natural(named[0])))
    except SafetensorError as error:
        raise RequestError(f"{where} is not a whole safetensors file ({error})") from None


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _torch_content(content: bytes, where: str) -> Any:
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or hostile file makes the unpickler stumble over
        reason = (str(error).splitlines() or ["damaged"])[0]
        if "weights_only" in reason or "Unsupported" in reason or "GLOBAL" in str(error):
            reason = "it holds more than tensors, and reading that could run code; save the state_dict alone"
        raise RequestError(f"{where} is not a file of weights that is safe to read: {reason[:140]}") from None


def _unwrapped(content: Any, where: str) -> dict[str, Tensor]:
    for _ in range(3):
        if not isinstance(content, dict):
            break
        found = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), dict)), None)
        if inner is None:
            if found:
                return found
            break
        content = inner
    raise RequestError(f"{where} holds no weights")


def _float32(name: str, tensor: Tensor, where: str) -> Tensor:
    if not tensor.dtype.is_floating_point:
        return tensor
    if not tensor.isfinite().all():
        raise RequestError(f"{where}: {name} holds numbers that are none (NaN or infinite)")
    return tensor.float()


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    while prefix := next((p for p in _PREFIXES if tensors and all(name.startswith(p) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def _our_name(theirs: str) -> str:
    for pattern, ours in _NAMES:
        theirs = re.sub(pattern, ours, theirs)
    return theirs


def _by_names(tensors: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, str] | None:
    """Ours to theirs; None unless every tensor has its place by name and shape."""
    renamed = {_our_name(name): name for name in tensors}
    wanted = {name for name in own if not name.endswith(_OPTIONAL)}
    there = {name for name in renamed if not name.endswith(_OPTIONAL)}
    if wanted != there or any(own[name].shape != tensors[renamed[name]].shape for name in wanted):
        return None
    return {ours: renamed[ours] for ours in own if ours in renamed}


_Layers = dict[str, tuple[str, dict[str, Tensor]]]
"""By module: its kind, and its tensors by their last name."""


def _layers(tensors: dict[str, Tensor]) -> _Layers:
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        module, _, last = name.rpartition(".")
        if last != _OPTIONAL:
            grouped.setdefault(module, {})[last] = tensor
    return {module: (_kind(parts), parts) for module, parts in grouped.items()}


def _kind(parts: dict[str, Tensor]) -> str:
    if "running_mean" in parts:
        return "normalization"
    return {4: "convolution", 2: "linear"}.get(parts["weight"].dim() if "weight" in parts else 0, "other")


def _by_structure(weights: Weights, own: dict[str, Tensor], config: NetworkConfig) -> dict[str, str]:
    ours, theirs = _layers(own), _layers(weights.tensors)
    if config.preactivation:  # its last BN is ours by name `bn`, second in order; others' comes last
        ours["bn"] = ours.pop("bn")
    unused = dict(theirs)
    pairs: dict[str, str] = {}
    for module, layer in ours.items():
        found = next((name for name, other in unused.items() if _same(layer, other)), None)
        if found is None:
            raise RequestError(_missing(weights, config, module, layer, unused))
        del unused[found]
        pairs |= {f"{module}.{last}": f"{found}.{last}" for last in layer[1]}
    if unused:
        module, (_, parts) = next(iter(unused.items()))
        last, tensor = next(iter(parts.items()))
        raise RequestError(
            f"{weights.where} holds another network than {config.name}: {module}.{last} {_shape(tensor)} has no place "
            f"in it{_seems(weights, config)}"
        )
    return pairs


def _same(one: tuple[str, dict[str, Tensor]], other: tuple[str, dict[str, Tensor]]) -> bool:
    shapes = [{last: tensor.shape for last, tensor in parts.items()} for _, parts in (one, other)]
    return one[0] == other[0] and shapes[0] == shapes[1]


def _missing(
    weights: Weights, config: NetworkConfig, module: str, layer: tuple[str, dict[str, Tensor]], unused: _Layers
) -> str:
    kind, parts = layer
    last, tensor = next(iter(parts.items()))
    like = next((f"; in its place is {name}.{last} {_shape(others[last])}" for name, (other, others) in unused.items()
                 if other == kind and last in others), "")  # fmt: skip
    return (
        f"{weights.where} holds another network than {config.name}: nothing fits {module}.{last} {_shape(tensor)}{like}"
        f"{_seems(weights, config)}"
    )


def _shape(tensor: Tensor) -> str:
    return "(" + "×".join(map(str, tensor.shape)) + ")"


def _seems(weights: Weights, wanted: NetworkConfig) -> str:
    layers = _layers(weights.tensors)
    convolutions = [layer["weight"] for kind, layer in layers.values() if kind == "convolution"]
    names = list(_candidates([tuple(conv.shape[1:3]) + (conv.shape[3],) for conv in convolutions]))
    name = next((name for name in names if not name.startswith(wanted.name.split(":")[0] + ":")), None)
    return f"; it looks like {name}" if name and name != wanted.name else ""


def _candidates(kernels: Sequence[tuple[int, ...]]) -> Iterator[str]:
    """Names of networks that have so many convolutions of each size: (in channels, height, width) in order."""
    sides = [kernel[-1] for kernel in kernels]
    threes, ones = sides.count(3), sides.count(1)
    if sides[:1] == [7]:
        for depth in (18, 34, 50, 101, 152):
            for option in ("A", "B", "C"):
                for stride in ("", ",stride_in=3x3") if depth >= 50 else ("",):
                    yield f"resnet-{depth}@imagenet:shortcut={option}{stride}"
        return
    if ones >= 2 * (threes - 1) > 0:
        depth, projections = 3 * (threes - 1) + 2, ones - 2 * (threes - 1)
        name = f"resnet-{depth}-bottleneck"
    else:
        depth, projections = threes + 1, ones
        name = f"resnet-{depth}"
    option = {0: "A", 2: "B", 3: "B"}.get(projections, "C")
    yield name if option == "A" and "bottleneck" not in name else f"{name}:shortcut={option}"
    if projections == 3:  # a network of depth 8 has three blocks
        yield f"{name}:shortcut=C"
