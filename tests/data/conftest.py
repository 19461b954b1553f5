"""A home and a working directory of its own for each test, and where real images are."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """EXPLORER_HOME and the working directory, both empty and outside tmp_path."""
    home, here = tmp_path_factory.mktemp("own") / "home", tmp_path_factory.mktemp("here")
    monkeypatch.setenv("EXPLORER_HOME", str(home))
    monkeypatch.chdir(here)
    return home


@pytest.fixture
def real_cifar10() -> Path:
    """The folder of real images; skips where there is none."""
    folder = Path(os.environ.get("EXPLORER_TEST_DATA", ROOT.parent / "shared" / "data" / "cifar10"))
    if not any(folder.glob("train-*.parquet")):
        pytest.skip("no real CIFAR-10 here")
    return folder
