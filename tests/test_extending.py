"""docs/extending.md tells the truth: its code blocks are run, and what they add works where people meet it."""

import importlib
import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from babel.messages.pofile import read_po
from torch import nn

from explorer import families, language
from explorer.__main__ import main
from explorer.attribution import methods
from explorer.attribution.explain import attribute
from explorer.checkpoints import load
from explorer.config import NetworkConfig, RunConfig, network
from explorer.data import sources
from explorer.data.augmentation import prepare
from explorer.data.image_set import ImageSet
from explorer.errors import RequestError
from explorer.export import source
from explorer.language import tr, using
from explorer.measurement import table
from explorer.networks import residual_blocks
from explorer.networks.build import build
from explorer.plots import theme
from explorer.runs import Store
from explorer.summary import summary
from explorer.training import train
from explorer.ui import lesson
from tests.conftest import ROOT, TINY_TRAINING
from tests.said import said, write_catalogue
from tests.ui.visits import two_networks, visit

TABLES = (
    families.FAMILIES, families.BLOCKS, residual_blocks.BLOCK_TYPES, table.MEASUREMENTS, methods.METHODS,
    language.LANGUAGES,
)  # fmt: skip
_BLOCK = re.compile(r"^```(python|po)\n(?:# (\S+)\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)
_DOCUMENT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _tables_as_they_were() -> Iterator[None]:
    before = [dict(one) for one in TABLES]
    yield
    for one, content in zip(TABLES, before, strict=True):
        one.clear()
        one.update(content)


def _written(heading: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run the Python blocks below a heading, each as if it stood at the end of its file; the files that they name."""
    part = _DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    files = []
    for kind, file, code in _BLOCK.findall(part):
        if kind == "python":
            name = file.removesuffix(".py").replace("/", ".")
            module = ModuleType(name)
            if (ROOT / file).exists():
                vars(module).update(vars(importlib.import_module(name)))
            else:
                monkeypatch.setitem(sys.modules, name, module)
            exec(compile(code, file, "exec", dont_inherit=True), vars(module))
            files.append(file)
    return files


def test_a_family_is_added_in_two_files(monkeypatch: pytest.MonkeyPatch) -> None:
    files = _written("A network family", monkeypatch)
    assert files == ["explorer/families.py", "explorer/networks/residual_blocks.py"]
    config = network("resnext-29")
    assert (config.name, config.family, config.block) == ("resnext-29", "resnext", "grouped")
    assert NetworkConfig.from_json(config.to_json()) == config
    assert network(config.twin.name) == config.twin
    assert config.twin.twin == config

    counts = summary(config)
    built = build(network("resnext-11:width=8"))
    assert counts.weighted_layers == 29
    assert summary(built.config, 8).parameters == sum(weight.numel() for weight in built.parameters())
    grouped = next(layer for layer in counts.layers() if layer.name == "stage1.0.conv2")
    assert grouped.macs == 32 * 32 * 16 * (16 // 8) * 9, "a grouped layer sees an eighth of its inputs"
    assert grouped.text == "3×3 conv, 16, C=8"
    weight = build(config).stage3[2].conv2.weight.detach()
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / (64 // 8 * 9)), rel=0.05), "He's, of those inputs"
    with pytest.raises(RequestError, match="cannot be written as code"):
        source(config)
    with pytest.raises(RequestError, match="pre-activation"):
        network("resnext-29:preactivation=on")
    with pytest.raises(RequestError, match="Table 1"):
        network("resnext-50@imagenet")


def test_a_family_that_is_a_choice_of_options_needs_one_entry() -> None:
    families.FAMILIES["projected"] = families.Family("Projected", usual={"shortcut": "C"}, known_by="shortcut")
    config = network("projected-8:width=4")
    assert config == NetworkConfig(8, "C", 4)
    assert (config.name, config.twin.name) == ("projected-8:width=4", "plain-8:width=4")
    assert network("resnet-8:shortcut=B").family == "resnet"
    assert build(config)(torch.zeros(2, 3, 8, 8)).shape == (2, 10)


def test_an_added_family_trains_is_explained_and_offered(
    monkeypatch: pytest.MonkeyPatch, tiny_images: ImageSet, capsys: pytest.CaptureFixture[str]
) -> None:
    _written("A network family", monkeypatch)
    built = build(network("resnext-11:width=8"))
    records = list(train(built, tiny_images, TINY_TRAINING))
    assert records[-1].step == TINY_TRAINING.steps
    assert math.isfinite(records[-1].training_error)
    assert theme.colour("resnext") not in (theme.PAPER, *map(theme.colour, ("plain", "resnet", "highway")))
    for method in ("integrated_gradients", "lrp", "deep_lift"):
        found = attribute(built, torch.rand(3, 8, 8), 1, method)
        assert found.completeness_error is not None
        assert found.completeness_error < 0.02 * max(1.0, abs(found.difference)), method

    assert main(["summary", "resnext-29", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == summary(network("resnext-29")).parameters
    app = visit("architecture", network="resnext-29")
    assert not app.exception
    assert app.query_params["network"] in ("resnext-29", ["resnext-29"])
    assert "ResNeXt" in app.segmented_control(key="network-family").options
    assert app.segmented_control(key="network-family").value == "resnext"
    app.selectbox(key="network-shortcut").set_value("none").run()
    assert app.query_params["network"] in ("resnext-29:shortcut=none", ["resnext-29:shortcut=none"])


def test_a_measurement_is_added_in_two_files(
    monkeypatch: pytest.MonkeyPatch, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _written("A measurement", monkeypatch)
    assert files == ["explorer/measurement/trunk.py", "explorer/measurement/table.py"]
    runs = two_networks(store)
    assert main(["measure", "trunk", *(config.run for config in runs), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["runs"]
    for one, config in zip(told, runs, strict=True):
        assert (one["run"], one["network"]) == (config.run, config.network.name)
        assert one["trunk"] == [
            {"block": block, "rms": pytest.approx(rms, rel=1e-4)} for block, rms in _by_hand(store, config).items()
        ]
    assert main(["measure", "trunk", runs[0].run]) == 0
    assert "stage2.0" in capsys.readouterr().out


def _by_hand(store: Store, config: RunConfig) -> dict[str, float]:
    """The root mean square of what each block puts out for the first 256 test images."""
    trained, found = load(store.checkpoint(config.run))[1], {}
    images = prepare(sources.load("shapes").test_images[:256], config.training.image_size)
    network = trained.network.eval()
    with torch.no_grad():
        x = network.begin(trained.normalization(images))
        for name in config.network.block_names:
            x = network.get_submodule(name)(x)
            found[name] = float(x.square().mean().sqrt())
    return found


def test_an_attribution_method_is_added_in_one_file(
    monkeypatch: pytest.MonkeyPatch, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _written("An attribution method", monkeypatch) == ["explorer/attribution/methods.py"]
    first, second = nn.Linear(3, 5, bias=False), nn.Linear(5, 2, bias=False)
    found = attribute(nn.Sequential(nn.Flatten(), first, nn.ReLU(), second), torch.ones(3, 1, 1), 1, "deconvolution")
    back = (second.weight[1].clamp(min=0) @ first.weight).detach()  # what of the upper layer is positive, sent down
    assert found.signed
    assert found.values[0, 0] == pytest.approx(float(back.sum()), rel=1e-5)

    run = two_networks(store)[1].run
    asked = ["attribute", run, "--image", "0", "--method", "deconvolution", "--out", str(tmp_path / "maps"), "--json"]
    assert main(asked) == 0
    (told,) = json.loads(capsys.readouterr().out)["maps"]
    assert told["method"] == "deconvolution"
    assert all((tmp_path / "maps" / Path(file).name).exists() for file in told["files"])
    app = visit("attributions")
    assert not app.exception
    assert "Deconvolution" in app.multiselect(key="attributions-methods").options


def test_a_language_is_added_in_two_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _written("A language", monkeypatch) == ["explorer/language.py"]
    ((_, _, entries),) = (one for one in _BLOCK.findall(_DOCUMENT) if one[0] == "po")
    catalogue = tmp_path / "fr" / "LC_MESSAGES" / "explorer.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(entries, encoding="utf-8")
    texts = {one.text for one in said() if one.text}
    assert write_catalogue("fr", tmp_path) == len(texts) - 2
    with catalogue.open("rb") as file:
        assert {message.id for message in read_po(file) if message.id} == texts

    monkeypatch.setattr(language, "_FOLDER", tmp_path)
    language._catalogue.cache_clear()
    with using("fr"):
        assert tr("seed {seed}", seed=3) == "graine 3"
        assert tr("Degradation") == "Degradation", "what is not translated yet is said in English"
        assert lesson.text("residual", "fr") == lesson.text("residual", "en")
    app = visit("degradation", lang="fr")
    assert not app.exception
    assert app.title[0].value.startswith("Apprendre de meilleurs réseaux")
    assert "Français" in app.segmented_control(key="lang").options
    language._catalogue.cache_clear()
