"""A trained network on disk, with all that is needed to use it."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from explorer import files
from explorer.config import NetworkConfig, RunConfig
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.language import tr
from explorer.networks.build import build
from explorer.networks.residual import ResidualNetwork
from explorer.weights import MEAN, STD


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode on the CPU, float32, and how its images are normalised."""

    network: ResidualNetwork
    normalization: Normalization


def save(path: Path, config: RunConfig, network: nn.Module, normalization: Normalization) -> None:
    """Write a checkpoint; a kill on the way leaves the one that was there."""
    files.replace(path, pack(config, network, normalization))


def pack(config: RunConfig, network: nn.Module, normalization: Normalization) -> bytes:
    """What a checkpoint's file holds."""
    content = {"format": 1, "config": config.to_json(), "tensors": _tensors(network, normalization)}
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def load(path: Path) -> tuple[RunConfig, Trained]:
    """Read a checkpoint of `save`."""
    content = _torch_file(path)
    try:
        config = RunConfig.from_json(content["config"])
        return config, trained(config.network, content["tensors"], str(path))
    except (KeyError, TypeError) as error:
        raise RequestError(
            tr("{file} is not a checkpoint of this program (no {missing})", file=path, missing=error)
        ) from None


def trained(config: NetworkConfig, tensors: dict[str, Tensor], where: str) -> Trained:
    """The network of `config` with these tensors; those of another network are refused."""
    tensors = dict(tensors)
    mean, std = tensors.pop(MEAN, torch.zeros(3, 1, 1)), tensors.pop(STD, torch.ones(3, 1, 1))
    network = build(config, numbers=sum(tensor.numel() for tensor in tensors.values()))
    own = network.state_dict()
    different = sorted(
        {name for name in own.keys() | tensors.keys() if name not in own or name not in tensors}
        | {name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape}
    )
    if different:
        raise RequestError(
            tr(
                "{file} holds another network than {network}: {count} tensors differ, first {first}",
                file=where,
                network=config.name,
                count=len(different),
                first=different[0],
            )  # fmt: skip
        )
    network.load_state_dict(tensors)
    return Trained(network.eval(), Normalization(mean, std))


def to_safetensors(trained: Trained, half: bool = False) -> bytes:
    """A network's tensors and its normalisation for exchange; `half`: its layers' weights with 16 bits a number.

    BN's do not fit into 16 bits: the variances in a deep plain network grow beyond 65,504.
    """
    said = {"network": trained.network.config.name}
    tensors = _tensors(trained.network, trained.normalization)
    if half:
        tensors |= {
            name: tensor.half() for name, tensor in tensors.items() if name not in (MEAN, STD) and tensor.ndim > 1
        }
    return save_safetensors(tensors, said)


def from_safetensors(content: bytes, config: NetworkConfig, where: str) -> Trained:
    """Read `to_safetensors`, or any safetensors file with this network's tensors."""
    try:
        return trained(config, load_safetensors(content), where)
    except SafetensorError as error:
        raise RequestError(tr("{file} is not a whole safetensors file ({reason})", file=where, reason=error)) from None


def _tensors(network: nn.Module, normalization: Normalization) -> dict[str, Tensor]:
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return state | {MEAN: normalization.mean.cpu(), STD: normalization.std.cpu()}


def _torch_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = torch.load(file, map_location="cpu", weights_only=True)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise RequestError(tr("cannot read {file}: {reason}", file=path, reason=error.strerror)) from None
    except Exception as error:  # whatever a damaged file makes the unpickler stumble over
        reason = str(error).splitlines()[0] if str(error) else "damaged"
        raise RequestError(
            tr("{file} is not a file of weights that is safe to read: {reason}", file=path, reason=reason[:120])
        ) from None
    if not isinstance(content, dict):
        raise RequestError(tr("{file} holds no weights", file=path))
    return content
