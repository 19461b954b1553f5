"""Weights of other people's files: read safely, matched by name or by structure, or refused in one line."""

import io
import pickle
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

from explorer.checkpoints import Trained, save, to_safetensors
from explorer.config import RunConfig, network
from explorer.data.augmentation import prepare
from explorer.data.image_set import ImageSet
from explorer.data.prepared import Normalization
from explorer.errors import RequestError
from explorer.evaluation import error, logits
from explorer.export import files
from explorer.imported import fitted, take_in
from explorer.measurement.responses import layer_responses
from explorer.networks.build import build
from explorer.recordings import Catalogue, Library, trained
from explorer.runs import DONE, Store
from explorer.weights import LARGEST_FILE, guess, match, published, read, read_file, variants
from tests.test_blocks import seasoned

IMAGES = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class _Block(nn.Module):
    """A basic block as the widely used CIFAR repositories write it: zeros half before, half after."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.changes = stride != 1

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.changes:
            side = (out.shape[1] - x.shape[1]) // 2
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, side, side))
        return functional.relu(out + x)


class _Theirs(nn.Module):
    """A CIFAR ResNet under the usual names: conv1, bn1, layer1 to layer3, linear."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for stage, (before, channels) in enumerate(((16, 16), (16, 32), (32, 64)), 1):
            blocks = [
                _Block(before if not i else channels, channels, 2 if stage > 1 and not i else 1) for i in range(n)
            ]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(2, 3)))


def _random(model: nn.Module, seed: int = 0) -> nn.Module:
    """Nothing left at a value that hides a mistake."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dim() == 1:
                low = 0.5 if "var" in name or name.endswith("weight") else -0.3
                tensor.copy_(low + torch.rand(tensor.shape, generator=generator))
    return model.eval()


@pytest.fixture(scope="module")
def theirs() -> nn.Module:
    torch.manual_seed(0)
    return _random(_Theirs(3))


def _file(path: Path, model: nn.Module) -> Path:
    """As such repositories save: a data-parallel state dict beside other things."""
    state = OrderedDict((f"module.{name}", tensor) for name, tensor in model.state_dict().items())
    torch.save({"state_dict": state, "best_prec1": 91.7, "epoch": 200}, path)
    return path


def test_a_file_of_a_usual_repository_gives_its_own_logits(theirs: nn.Module, tmp_path: Path) -> None:
    weights = read_file(_file(tmp_path / "resnet20.th", theirs))
    model, report = match(weights, network("resnet-20:zeros=around"))
    images = published("imagenet")(IMAGES)
    with torch.no_grad():
        torch.testing.assert_close(model(images), theirs(images), rtol=1e-5, atol=1e-5)
    assert report.how == "names"
    assert ("stage1.0.conv1.weight", "layer1.0.conv1.weight") in report.pairs
    assert guess(weights) == network("resnet-20")


def test_normalisation_is_per_channel_as_published() -> None:
    white = torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)
    assert published("imagenet")(white).flatten().tolist() == pytest.approx(
        [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225]
    )
    assert published("cifar10")(white)[0, 0].item() == pytest.approx((1 - 0.4914) / 0.2470)


def test_where_the_zeros_go_is_found_by_trying(theirs: nn.Module, tmp_path: Path) -> None:
    """The labels are what the network itself says, so one placement is right on every image."""
    weights = read_file(_file(tmp_path / "resnet20.th", theirs))
    colours = torch.randint(0, 256, (200, 3, 1, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    pixels = colours.expand(200, 3, 32, 32).contiguous()
    with torch.no_grad():
        labels = theirs(published("imagenet")(pixels)).argmax(dim=1)
    assert len(labels.unique()) > 1
    images = ImageSet("own@000000000000", "random", tuple("0123456789"), pixels, labels, pixels, labels)
    fit = fitted(weights, "resnet-20", "imagenet", images)
    assert fit.config == network("resnet-20:zeros=around")
    assert error(logits(fit.trained.network, pixels, fit.trained.normalization), labels) == 0
    assert "zeros=around: 0.0% wrong" in " ".join(fit.report.notes)
    assert fitted(weights, "resnet-20:zeros=after", "imagenet", images).config == network("resnet-20")


def test_only_option_a_of_other_peoples_files_is_tried_both_ways(theirs: nn.Module, tmp_path: Path) -> None:
    weights = read_file(_file(tmp_path / "resnet20.th", theirs))
    assert len(variants(network("resnet-20"), "resnet-20", weights)) == 2
    assert len(variants(network("plain-20"), "plain-20", weights)) == 1
    own = replace(weights, network=network("resnet-20:zeros=around"))
    assert variants(network("resnet-20"), "resnet-20", own) == (network("resnet-20:zeros=around"),)


@pytest.mark.parametrize(
    ("theirs_name", "ours"),
    [("resnet18", "resnet-18@imagenet:shortcut=B"), ("resnet50", "resnet-50@imagenet:stride_in=3x3")],
)
def test_torchvisions_networks_are_ours(theirs_name: str, ours: str) -> None:
    torch.manual_seed(1)
    reference = _random(getattr(models, theirs_name)(weights=None))
    weights = read(save_safetensors(reference.state_dict()), "w.safetensors")
    model, report = match(weights, network(ours))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(image), reference(image), rtol=1e-4, atol=1e-4)
    assert report.how == "names"
    seen = network(ours.replace(":stride_in=3x3", ""))  # shapes do not show where the stride is
    assert guess(weights) == seen


@pytest.mark.parametrize(
    "name", ["resnet-14", "resnet-14:shortcut=B", "resnet-14:shortcut=C", "preresnet-14", "plain-14:bn=off"]
)
def test_unknown_names_are_matched_by_structure(name: str) -> None:
    config = network(name)
    model = seasoned(config)
    state = model.state_dict()
    if config.preactivation:  # others register the last BN after the stages
        last = {name: tensor for name, tensor in state.items() if name.startswith(("bn.", "head."))}
        state = {name: tensor for name, tensor in state.items() if name not in last} | last
    modules = {key: f"features.{i}" for i, key in enumerate(dict.fromkeys(name.rpartition(".")[0] for name in state))}
    renamed = {f"{modules[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value for key, value in state.items()}
    weights = read(save_safetensors({key: value.contiguous() for key, value in renamed.items()}), "w.safetensors")
    found, report = match(weights, config)
    assert report.how == "structure"
    images = published("cifar10")(IMAGES)
    with torch.no_grad():
        assert torch.equal(found(images), model(images))


def test_counters_are_not_needed_and_half_precision_becomes_single(theirs: nn.Module) -> None:
    state = {k: v.half() for k, v in theirs.state_dict().items() if "num_batches" not in k}
    state["bn1.num_batches_tracked"] = torch.zeros(3)
    model, _ = match(read(save_safetensors(state), "w.safetensors"), network("resnet-20"))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def _changed(state: dict[str, Tensor], change: str) -> dict[str, Tensor]:
    if change == "missing":
        del state["layer2.1.conv2.weight"]
    elif change == "extra":
        state["layer4.0.conv1.weight"] = torch.zeros(64, 64, 3, 3)
    elif change == "swapped":
        del state["layer2.1.conv2.weight"]
        state["aux.weight"] = torch.zeros(32, 32, 3, 3)
    elif change == "statistics":
        del state["layer1.0.bn1.running_mean"]
    elif change == "sparse":
        state["bn1.bias"] = torch.zeros(1).expand(16)
    elif change == "integers":
        state["bn1.bias"] = torch.zeros(16, dtype=torch.int32)
    elif change == "large":
        state["bn1.bias"] = torch.full((16,), 1e300, dtype=torch.float64)
    elif change == "shape":
        state["linear.weight"] = torch.zeros(100, 64)
    elif change == "nan":
        state["bn1.bias"] = torch.full((16,), float("nan"))
    return state


@pytest.mark.parametrize(
    ("change", "says"),
    [("swapped", r"layer2\.1\.conv2\.weight \(32×32×3×3\) is missing"),
     ("statistics", r"layer1\.0\.bn1\.running_mean \(16\) is missing"), ("sparse", "bn1.bias is no plain tensor"),
     ("integers", "bn1.bias is no plain tensor"), ("large", "bn1.bias holds numbers that are none"),
     ("missing", r"layer2\.1\.conv2\.weight \(32×32×3×3\) is missing"), ("extra", r"\(64×64×3×3\) has no place"),
     ("shape", r"linear.weight is \(100×64\) and should be \(10×64\)"), ("nan", "bn1.bias")],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(theirs: nn.Module, change: str, says: str) -> None:
    state = _changed(dict(theirs.state_dict()), change)
    with pytest.raises(RequestError, match=says) as raised:
        match(read(_saved(state), "w.pt"), network("resnet-20"))
    assert "\n" not in str(raised.value)


def _saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def test_another_depth_is_recognised(theirs: nn.Module, tmp_path: Path) -> None:
    weights = read_file(_file(tmp_path / "w.th", theirs))
    with pytest.raises(RequestError, match="another network than resnet-56: .* it looks like resnet-20"):
        match(weights, network("resnet-56"))
    with pytest.raises(RequestError, match="another network than resnet-14"):
        match(weights, network("resnet-14"))


class _Evil:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("evil-was-here"),))


@pytest.mark.threat("A file of weights runs code")
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"state_dict": _Evil()}))
    torch.save({"state_dict": {"conv1.weight": _Evil()}}, tmp_path / "zip.pt")
    for file in ("plain.pt", "zip.pt"):
        with pytest.raises(RequestError, match="safe to read") as raised:
            read_file(Path(file))
        assert "\n" not in str(raised.value)
    assert not Path("evil-was-here").exists()


@pytest.mark.threat("A file is too large, or unpacks to too much")
def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.pt").open("wb") as file:
        file.truncate(2_000_000_000)
    with pytest.raises(RequestError, match="2,000 MB"):
        read_file(tmp_path / "huge.pt")
    with pytest.raises(RequestError, match="MB"):
        read(bytes(LARGEST_FILE + 1), "upload.pt")


def test_what_is_no_file_of_weights_is_one_line(tmp_path: Path, theirs: nn.Module) -> None:
    whole = _file(tmp_path / "whole.th", theirs).read_bytes()
    (tmp_path / "half.pt").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    for file in ("half.pt", "text.pt", "text.safetensors", "list.pt", "empty.pt", "missing.pt", "missing.safetensors"):
        with pytest.raises(RequestError) as raised:
            read_file(tmp_path / file)
        assert "\n" not in str(raised.value)
        assert file in str(raised.value)


def test_an_imported_network_is_a_run_like_any_other(
    theirs: nn.Module, tmp_path: Path, store: Store, tiny_images
) -> None:
    weights = read_file(_file(tmp_path / "resnet20.th", theirs))
    run, report = take_in(store, weights, tiny_images, "shapes", None, "imagenet")
    assert (run.state, run.provenance.origin, run.config.network.family) == (DONE, "imported", "resnet")
    assert run.config.run != replace(run.config, weights="").run
    found = trained(Catalogue(store, Library(tmp_path)), run.run)
    record = store.records(run.run)[-1]
    images = tiny_images.test_images
    assert record.test_error == error(logits(found.network, images, found.normalization), tiny_images.test_labels)
    assert len(record.responses) == len(layer_responses(found.network, found.normalization(images))) == 19
    assert report.how == "names"
    with pytest.raises(RequestError, match="in the store already"):
        take_in(store, weights, tiny_images, "shapes", run.config.network.name, "imagenet")


def test_nothing_is_kept_of_a_network_that_does_not_fit(
    theirs: nn.Module, tmp_path: Path, store: Store, tiny_images
) -> None:
    weights = read_file(_file(tmp_path / "resnet20.th", theirs))
    with pytest.raises(RequestError):
        take_in(store, weights, tiny_images, "shapes", "resnet-32", None)
    assert store.runs() == []
    assert not list(store.folder.rglob("*.pt"))


@pytest.mark.parametrize(
    "name",
    ["plain-14", "preresnet-14", "resnet-14:strength=0.3", "resnet-14:zeros=around", "skipinit-14", "highway-14"],
)
def test_our_own_files_say_which_network_they_are_and_how_images_were_normalised(
    name: str, tmp_path: Path, tiny_images: ImageSet
) -> None:
    own = Trained(seasoned(network(name)), Normalization(torch.rand(3, 8, 8), torch.full((3, 1, 1), 0.3)))
    save(tmp_path / "run.pt", RunConfig(network(name)), own.network, own.normalization)
    (tmp_path / "w.safetensors").write_bytes(to_safetensors(own))
    (tmp_path / "weights.pt").write_bytes(files(network(name), own)["weights.pt"])
    images = tiny_images.test_images
    expected = logits(own.network, images, own.normalization)
    for file in ("run.pt", "w.safetensors", "weights.pt"):
        fit = fitted(read_file(tmp_path / file), None, None, tiny_images)
        assert fit.config == network(name)
        assert torch.equal(logits(fit.trained.network, images, fit.trained.normalization), expected)
        assert fit.report.notes == ()


def test_a_network_of_smaller_images_is_measured_on_smaller_images(store: Store, tiny_images: ImageSet) -> None:
    own = Trained(seasoned(network("resnet-14")), Normalization(torch.rand(3, 8, 8), torch.ones(3, 1, 1)))
    train, test = (functional.pad(i, (8, 0, 0, 8)) for i in (tiny_images.train_images, tiny_images.test_images))
    larger = replace(tiny_images, train_images=train, test_images=test)  # 16×16
    run, _ = take_in(store, read(to_safetensors(own), "w.safetensors"), larger, "shapes", None, None)
    assert run.config.training.image_size == 8
    expected = error(logits(own.network, prepare(test, 8), own.normalization), tiny_images.test_labels)
    assert store.records(run.run)[-1].test_error == expected


@pytest.mark.parametrize("name", ["preresnet-14", "preresnet-14:shortcut=B"])
def test_usual_names_must_fit_even_where_shapes_would(name: str) -> None:
    """BN's shapes are the same in a pre-activation network and in its residual twin, in another order."""
    weights = read(save_safetensors(build(network(name)).state_dict()), "w.safetensors")
    with pytest.raises(RequestError, match="another network than resnet-14.* it looks like preresnet-14"):
        match(weights, network(name.replace("preresnet", "resnet")))
    assert guess(weights) == network(name)


def test_a_projection_registered_first_keeps_its_own_bn() -> None:
    model = seasoned(network("resnet-14:shortcut=B"))
    state = model.state_dict()
    modules = list(dict.fromkeys(name.rpartition(".")[0] for name in state))
    for block in ("stage2.0", "stage3.0"):  # shortcut.conv, shortcut.bn before conv1
        moved = [f"{block}.shortcut.conv", f"{block}.shortcut.bn"]
        modules = [module for module in modules if module not in moved]
        modules[modules.index(f"{block}.conv1") : modules.index(f"{block}.conv1")] = moved
    renamed = {
        f"part{index}.{name.rpartition('.')[2]}": tensor
        for index, module in enumerate(modules)
        for name, tensor in state.items()
        if name.rpartition(".")[0] == module
    }
    found, report = match(read(_saved(renamed), "w.pt"), network("resnet-14:shortcut=B"))
    assert report.how == "structure"
    with torch.no_grad():
        assert torch.equal(found(published("cifar10")(IMAGES)), model(published("cifar10")(IMAGES)))


def test_names_that_tell_no_order_are_refused() -> None:
    state = seasoned(network("resnet-14:shortcut=B")).state_dict()
    renamed = {name.replace("shortcut.conv", "adjust").replace("conv", "c").replace("stage", "g"): tensor
               for name, tensor in state.items()}  # fmt: skip
    with pytest.raises(RequestError, match="their order does not tell either"):
        match(read(save_safetensors(renamed), "w.safetensors"), network("resnet-14:shortcut=B"))


def test_another_normalisation_is_another_run(theirs: nn.Module, tmp_path: Path, store: Store, tiny_images) -> None:
    weights = read_file(_file(tmp_path / "resnet20.th", theirs))
    runs = {take_in(store, weights, tiny_images, "shapes", None, name)[0].run for name in ("cifar10", "imagenet")}
    assert len(runs) == 2
