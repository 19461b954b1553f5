"""Exported code, run in an empty folder with torch alone, computes what the network computes."""

import ast
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from torchvision import models

from explorer.checkpoints import Trained
from explorer.config import network
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.export import archive, files, module_name, source
from tests.test_blocks import seasoned

NAMES = [
    "plain-14", "resnet-14", "resnet-14:zeros=around", "resnet-14:shortcut=B", "resnet-14:shortcut=C",
    "resnet-14:strength=0.3", "resnet-14:survival=0.4", "resnet-14:dropout=0.3",
    "preresnet-14:dropout=0.3", "highway-14:dropout=0.5", "resnet-14:bn=off", "resnet-14:shortcut=B,bn=off",
    "resnet-20-bottleneck", "resnet-20-bottleneck:stride_in=3x3", "resnet-20-bottleneck:shortcut=A",
    "plain-20-bottleneck", "preresnet-14", "preresnet-14:shortcut=B", "preresnet-14:shortcut=C,survival=0.5",
    "preresnet-20-bottleneck", "plain-14:preactivation=on", "highway-14", "skipinit-14", "skipinit-14:shortcut=C",
    "resnet-14:width=8,classes=5", "resnet-18@imagenet:width=16", "resnet-50@imagenet:width=16",
    "resnet-50@imagenet:width=16,stride_in=3x3",
]  # fmt: skip
_RUN = """
import importlib, sys, torch
sys.path.insert(0, ".")
images = torch.load("images.pt", weights_only=True)
found = {}
for name in sys.argv[1:]:
    code = importlib.import_module(name)
    network, normalized = code.load(f"{name}.pt")
    with torch.no_grad():
        found[name] = network(normalized(images))
assert not any(module.startswith("explorer") for module in sys.modules)
torch.save(found, "logits.pt")
"""


def test_exported_code_gives_the_same_logits(tmp_path: Path) -> None:
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    normalization = Normalization(torch.rand(3, 32, 32), torch.full((3, 1, 1), 0.25))
    expected = {}
    for name in NAMES:
        config = network(name)
        trained = Trained(seasoned(config), normalization)
        written = files(config, trained)
        (tmp_path / f"{module_name(config)}.py").write_bytes(written[f"{module_name(config)}.py"])
        (tmp_path / f"{module_name(config)}.pt").write_bytes(written["weights.pt"])
        with torch.no_grad():
            expected[module_name(config)] = trained.network(normalization(images))
    torch.save(images, tmp_path / "images.pt")
    assert len(expected) == len(NAMES)
    subprocess.run([sys.executable, "-I", "-c", _RUN, *expected], cwd=tmp_path, check=True)
    found = torch.load(tmp_path / "logits.pt", weights_only=True)
    for name, logits in expected.items():
        scale = max(1.0, float(logits.abs().max()))  # of 50 layers with such weights hundreds: float32 is relative
        assert float((found[name] - logits).abs().max()) <= 1e-5 * scale, name


def test_an_export_runs_by_itself_and_reads_the_weights_beside_it(tmp_path: Path) -> None:
    config = network("resnet-8")
    trained = Trained(seasoned(config), Normalization(torch.zeros(3, 1, 1), torch.ones(3, 1, 1)))
    with zipfile.ZipFile(io.BytesIO(archive(config, trained))) as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "resnet_8"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.txt", "resnet_8.py", "weights.pt", "weights.safetensors",
    ]  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-I", "resnet_8.py"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    assert told == "75290 parameters, logits (1, 10)\n"


@pytest.mark.parametrize(("name", "theirs"), [("vgg-16@imagenet", "vgg16"), ("vgg-19@imagenet:bn=on", "vgg19_bn")])
def test_vgg_has_torchvisions_parameters(name: str, theirs: str) -> None:
    space: dict = {"__name__": "exported"}
    exec(source(network(name)), space)  # noqa: S102
    with torch.device("meta"):
        ours, reference = space["Network"](), getattr(models, theirs)(weights=None, init_weights=False)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in reference.state_dict().items()}


@pytest.mark.parametrize("name", NAMES)
def test_code_holds_only_what_its_network_needs(name: str) -> None:
    config, code = network(name), source(network(name))
    ast.parse(code)
    assert max(map(len, code.splitlines())) <= 120
    assert ("Projection" in code) == (config.shortcut in ("B", "C"))
    assert ("BatchNorm2d" in code) == config.bn
    assert ("carried" in code) == (config.shortcut != "none")
    assert "alpha" in code or not config.skipinit
    assert "config" not in code


def test_googlenet_is_torchvisions() -> None:
    with pytest.raises(RequestError, match="torchvision"):
        source(network("googlenet"))
