"""Weights that others trained: read without running code, matched to a network, with a report of what went where."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from explorer.config import NetworkConfig, RunConfig, network
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.families import WHOLE
from explorer.language import tr
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
_USUAL = re.compile(r"(conv|bn|head|stage\d+\.\d+\.(conv\d|bn\d|shortcut\.(conv|bn)|gate\.conv|scale))\.\w+")
_COUNTER = "num_batches_tracked"  # of BN: never needed


@dataclass(frozen=True)
class Weights:
    """The tensors of a file, float32, under the names that the file gives them."""

    where: str
    tensors: dict[str, Tensor]
    normalization: Normalization | None = None
    """If the file says how images were normalised."""
    network: NetworkConfig | None = None
    """If the file says which network it is of, as ours do."""


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
        raise RequestError(tr("cannot read {file}: {reason}", file=path, reason=error.strerror)) from None


def read(content: bytes, where: str) -> Weights:
    """The weights in a file's content; `where` is its name for messages. No code in it is run."""
    _check_size(len(content), where)
    if where.endswith(".safetensors") or content[8:9] == b"{":
        named, network_name = _safetensors(content, where)
    else:
        named, network_name = _unwrapped(_torch_content(content, where), where)
    kept = {name: value for name, value in named.items() if not name.endswith(_COUNTER)}
    tensors = {name: _float32(name, value, where) for name, value in kept.items()}
    mean, std = tensors.pop(MEAN, None), tensors.pop(STD, None)
    normalization = Normalization(mean, std) if mean is not None and std is not None else None
    config = network(network_name) if network_name else None
    return Weights(where, _without_prefix(tensors), normalization, config)


def published(name: str) -> Normalization:
    """The normalisation called `cifar10` or `imagenet`."""
    mean, std = (torch.tensor(values)[:, None, None] for values in PUBLISHED[name])
    return Normalization(mean, std)


def match(weights: Weights, config: NetworkConfig) -> tuple[ResidualNetwork, Report]:
    """The network of `config` with these weights, in evaluation mode; weights of another network are refused.

    By names where most are usual (torchvision's, those of the common CIFAR repositories, ours): then each must fit.
    Else by structure: each convolution with the BN after it, in the order of the file, to the first of its shape.
    """
    if config.block in WHOLE:
        raise RequestError(
            tr("weights of {network} cannot be used here: choose a plain or residual network", network=config.name)
        )
    try:
        return _matched(weights, config)
    except _UnfitError as reason:
        found = guess(weights)
        seems = "; " + tr("it looks like {network}", network=found.name) if found and found.name != config.name else ""
        values = {"file": weights.where, "network": config.name, "reason": f"{reason}{seems}"}
        raise RequestError(tr("{file} holds another network than {network}: {reason}", **values)) from None


def _matched(weights: Weights, config: NetworkConfig) -> tuple[ResidualNetwork, Report]:
    model = build(config, numbers=sum(tensor.numel() for tensor in weights.tensors.values()))
    own = {name: tensor for name, tensor in model.state_dict().items() if not name.endswith(_COUNTER)}
    renamed = {_our_name(name): name for name in weights.tensors}
    if 2 * sum(bool(_USUAL.fullmatch(name)) for name in renamed) >= len(renamed):
        pairs, how = _by_names(weights, renamed, own), "names"
    else:
        pairs, how = _by_structure(weights, own, config), "structure"
    model.load_state_dict({ours: weights.tensors[theirs] for ours, theirs in pairs.items()}, strict=False)
    return model.eval(), Report(how, tuple(pairs.items()))


def guess(weights: Weights) -> NetworkConfig | None:
    """Which network these weights are of: what the file says, else what the shapes of its layers say; None if nothing.

    Shapes do not tell a plain network from its residual twin: the residual one is meant.
    """
    if weights.network is not None:
        return weights.network
    layers = _layers(weights.tensors)
    convolutions = [layer["weight"] for kind, layer in layers.values() if kind == "convolution"]
    heads = [layer["weight"] for kind, layer in layers.values() if kind == "linear"]
    if not convolutions or len(heads) != 1:
        return None
    options = f"width={convolutions[0].shape[0]},classes={heads[0].shape[0]}"
    if not any(kind == "normalization" for kind, _ in layers.values()):
        options += ",bn=off"
    for name in _candidates([conv.shape[-1] for conv in convolutions]):
        try:
            config = network(f"{name}{',' if ':' in name else ':'}{options}")
            _matched(weights, config)
        except (RequestError, _UnfitError):
            continue
        return config
    return None


def identity(model: ResidualNetwork, normalization: Normalization) -> str:
    """16 hex digits of the SHA-256 of all weights and of what images are normalised by."""
    tensors = {**model.state_dict(), MEAN: normalization.mean, STD: normalization.std}
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def variants(config: NetworkConfig, name: str, weights: Weights) -> tuple[NetworkConfig, ...]:
    """The networks that such weights can mean: no file of others says where option A puts its zero channels.

    One if the network has no such choice, if the name that was typed makes it, or if the file is one of ours.
    """
    if config.shortcut != "A" or "zeros=" in name:
        return (config,)
    if weights.network is not None:
        return (replace(config, zeros=weights.network.zeros),)
    return (replace(config, zeros="after"), replace(config, zeros="around"))


def _check_size(size: int, where: str) -> None:
    if size > LARGEST_FILE:
        raise RequestError(
            tr(
                "{file} has {size:,.0f} MB; files of weights of up to {most:.0f} MB are read",
                file=where,
                size=size / 1e6,
                most=LARGEST_FILE / 1e6,
            )  # fmt: skip
        )


_Named = tuple[dict[str, Tensor], str]
"""Tensors by name, and the network's name if the file says it."""


def _safetensors(content: bytes, where: str) -> _Named:
    try:
        tensors = load_safetensors(content)
    except SafetensorError as error:
        raise RequestError(tr("{file} is not a whole safetensors file ({reason})", file=where, reason=error)) from None
    said = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
    # such a file keeps no order: numbers in the names give it back
    return dict(sorted(tensors.items(), key=lambda named: _natural(named[0]))), str(said.get("network", ""))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _torch_content(content: bytes, where: str) -> Any:
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:  # older files are no zip
        _check_size(sum(member.file_size for member in archive.infolist()), where)
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or hostile file makes the unpickler stumble over
        reason = (str(error).splitlines() or ["damaged"])[0]
        if "weights_only" in reason or "Unsupported" in reason or "GLOBAL" in str(error):
            reason = tr("it holds more than tensors, and reading that could run code; save the state_dict alone")
        raise RequestError(
            tr("{file} is not a file of weights that is safe to read: {reason}", file=where, reason=reason[:140])
        ) from None


def _unwrapped(content: Any, where: str) -> _Named:
    """The innermost dict of tensors, and what is said beside it."""
    name, normalization = "", dict[str, Tensor]()
    for _ in range(3):
        if not isinstance(content, dict):
            break
        name = _said_network(content) or name
        found = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), dict)), None)
        if inner is None:
            if found:
                return found | normalization, name
            break
        if found.keys() >= {"mean", "std"}:  # as our exported files have them
            normalization = {MEAN: found["mean"], STD: found["std"]}
        content = inner
    raise RequestError(tr("{file} holds no weights", file=where))


def _said_network(content: dict[Any, Any]) -> str:
    """The network's name in a file of ours: exported, or a checkpoint with the whole config."""
    if isinstance(content.get("network"), str) and "state_dict" in content:
        return str(content["network"])
    if isinstance(content.get("config"), str) and "tensors" in content:
        return RunConfig.from_json(content["config"]).network.name
    return ""


def _float32(name: str, tensor: Tensor, where: str) -> Tensor:
    """A plain tensor of single precision; what would only pretend to be one is refused before it takes memory."""
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and tensor.dtype.is_floating_point
    if not plain or tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise RequestError(tr("{file}: {name} is no plain tensor of floating-point numbers", file=where, name=name))
    single = tensor.float()
    if not single.isfinite().all():
        raise RequestError(tr("{file}: {name} holds numbers that are none (NaN or infinite)", file=where, name=name))
    return single


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    while prefix := next((p for p in _PREFIXES if tensors and all(name.startswith(p) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def _our_name(theirs: str) -> str:
    for pattern, ours in _NAMES:
        theirs = re.sub(pattern, ours, theirs)
    return theirs


class _UnfitError(Exception):
    """Why weights are not of a network."""


def _no_place(name: str, tensor: Tensor) -> str:
    return tr("{name} {shape} has no place in it", name=name, shape=_shape(tensor))


def _by_names(weights: Weights, renamed: dict[str, str], own: dict[str, Tensor]) -> dict[str, str]:
    """Ours to theirs, every tensor by its name."""
    for name, tensor in own.items():
        if name not in renamed:
            raise _UnfitError(tr("{name} {shape} is missing", name=_their_name(name, renamed), shape=_shape(tensor)))
        other = weights.tensors[renamed[name]]
        if other.shape != tensor.shape:
            raise _UnfitError(
                tr(
                    "{name} is {shape} and should be {wanted}",
                    name=renamed[name],
                    shape=_shape(other),
                    wanted=_shape(tensor),
                )  # fmt: skip
            )
    for name, theirs in renamed.items():
        if name not in own:
            raise _UnfitError(_no_place(theirs, weights.tensors[theirs]))
    return {ours: renamed[ours] for ours in own}


def _their_name(ours: str, renamed: dict[str, str]) -> str:
    """What the file would call it, told from a neighbour that it has."""
    for other, theirs in renamed.items():
        if other.rpartition(".")[0] == ours.rpartition(".")[0]:
            return f"{theirs.rpartition('.')[0]}.{ours.rpartition('.')[2]}"
    if any(theirs.startswith("layer") for theirs in renamed.values()):
        return ours.replace("stage", "layer")
    return ours


_Layers = dict[str, tuple[str, dict[str, Tensor]]]
"""By module: its kind, and its tensors by their last name."""


def _layers(tensors: dict[str, Tensor]) -> _Layers:
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        module, _, last = name.rpartition(".")
        grouped.setdefault(module, {})[last] = tensor
    return {module: (_kind(parts), parts) for module, parts in grouped.items()}


def _kind(parts: dict[str, Tensor]) -> str:
    if "running_mean" in parts:
        return "normalization"
    return {4: "convolution", 2: "linear"}.get(parts["weight"].dim() if "weight" in parts else 0, "other")


_Unit = tuple[str, str | None]
"""Names of a convolution or linear layer and of the BN that follows it."""


def _by_structure(weights: Weights, own: dict[str, Tensor], config: NetworkConfig) -> dict[str, str]:
    ours, theirs = _layers(own), _layers(weights.tensors)
    if config.preactivation:  # its last BN is registered second
        ours["bn"] = ours.pop("bn")
        ours["head"] = ours.pop("head")
    mine, unused = _units(ours), _units(theirs)
    if mine is None or unused is None or config.block == "bottleneck":
        raise _UnfitError(tr("its names are not the usual ones, and their order does not tell either"))
    pairs: dict[str, str] = {}
    for unit in mine:
        found = next((other for other in unused if _same(unit, ours, other, theirs)), None)
        if found is None:
            raise _UnfitError(tr("nothing fits {name} {shape}", name=unit[0], shape=_shape(ours[unit[0]][1]["weight"])))
        unused.remove(found)
        for module, other in zip(unit, found, strict=True):
            if module and other:
                pairs |= {f"{module}.{last}": f"{other}.{last}" for last in ours[module][1]}
    if unused:
        raise _UnfitError(_no_place(unused[0][0], theirs[unused[0][0]][1]["weight"]))
    return pairs


def _units(layers: _Layers) -> list[_Unit] | None:
    """Convolutions each with the BN right after it; None where BNs stand elsewhere or something else is there."""
    units: list[_Unit] = []
    normalized = any(kind == "normalization" for kind, _ in layers.values())
    for name, (kind, _) in layers.items():
        if kind == "normalization":
            if not units or units[-1][1] is not None:
                return None
            units[-1] = (units[-1][0], name)
        elif kind == "other":
            return None
        else:
            units.append((name, None))
    lonely = sum(bn is None for name, bn in units if layers[name][0] == "convolution")
    return None if normalized and lonely else units


def _same(one: _Unit, ours: _Layers, other: _Unit, theirs: _Layers) -> bool:
    return all(
        (a is None) == (b is None) and (a is None or b is None or _shapes(ours[a]) == _shapes(theirs[b]))
        for a, b in zip(one, other, strict=True)
    )


def _shapes(layer: tuple[str, dict[str, Tensor]]) -> tuple[str, dict[str, torch.Size]]:
    return layer[0], {last: tensor.shape for last, tensor in layer[1].items()}


def _shape(tensor: Tensor) -> str:
    return "(" + "×".join(map(str, tensor.shape)) + ")"


def _candidates(kernels: Sequence[int]) -> Iterator[str]:
    """Names of networks that have so many convolutions of each size."""
    threes, ones = kernels.count(3), kernels.count(1)
    if kernels[0] == 7:
        whole = ((depth, option) for depth in (18, 34, 50, 101, 152) for option in ("A", "B", "C"))
        yield from (f"resnet-{depth}@imagenet:shortcut={option}" for depth, option in whole)
        return
    bottleneck = ones >= 2 * (threes - 1) > 0
    name = f"{3 * (threes - 1) + 2}-bottleneck" if bottleneck else f"{threes + 1}"
    for family in ("resnet", "preresnet"):
        yield from (f"{family}-{name}:shortcut={option}" for option in ("A", "B", "C"))
