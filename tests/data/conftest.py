"""A home and a working directory of its own for each test, and where real images are."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """EXPLORER_HOME and the working directory, both empty and outside tmp_path."""
    home, here = tmp_path_factory.mktemp("own") / "home", tmp_path_factory.mktemp("here")
    monkeypatch.setenv("EXPLORER_HOME", str(home))
    monkeypatch.chdir(here)
    return home
