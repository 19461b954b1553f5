"""What many tests share: a private home, tiny images, one thread."""

import os
from pathlib import Path

import pytest
import torch

from explorer.config import NetworkConfig, RunConfig, TrainingConfig
from explorer.data.image_set import ImageSet
from explorer.room import Rooms
from explorer.runs import Store
from tests.rooms import Clock

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # a CUDA GPU reads it once, at its first product
ROOT = Path(__file__).parents[1]
TINY_TRAINING = TrainingConfig(
    steps=6,
    batch_size=8,
    learning_rate=0.05,
    schedule="cosine",
    warm_up_steps=2,
    augmentation="flip",
    image_size=8,
    train_images=40,
    test_images=20,
    clean_images=20,
    evaluations=2,
    precision="fp32",
)


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees this machine's own store, and two cores are shared fairly."""
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EXPLORER_DATA", raising=False)
    torch.set_num_threads(1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(store: Store, clock: Clock) -> Rooms:
    return Rooms(store, clock)


@pytest.fixture(scope="session")
def tiny_images() -> ImageSet:
    """60 training and 30 test images of 8x8 pixels in 10 classes, told apart by their mean colour."""
    generator = torch.Generator().manual_seed(0)
    parts = []
    for count in (60, 30):
        labels = torch.arange(count) % 10
        noise = torch.randint(0, 60, (count, 3, 8, 8), generator=generator)
        parts += [(noise + 19 * labels[:, None, None, None]).to(torch.uint8), labels]
    return ImageSet("tiny@000000000000", "tiny coloured squares", tuple("0123456789"), *parts)


@pytest.fixture
def tiny_run() -> RunConfig:
    return RunConfig(NetworkConfig(depth=8, width=4), TINY_TRAINING, "tiny@000000000000", seed=0)


@pytest.fixture
def real_cifar10() -> Path:
    """The folder of real images; skips where there is none."""
    folder = Path(os.environ.get("EXPLORER_TEST_DATA", ROOT.parent / "shared" / "data" / "cifar10"))
    if not any(folder.glob("train-*.parquet")):
        pytest.skip("no real CIFAR-10 here")
    return folder
