import sys
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.home import home


def test_the_environment_decides_and_the_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "a" / "b"))
    assert home() == tmp_path / "a" / "b"
    assert home().is_dir()


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "{tmp}/xdg"}, "xdg/residual-explorer"),
        ("linux", {"XDG_DATA_HOME": "relative"}, ".local/share/residual-explorer"),
        ("linux", {}, ".local/share/residual-explorer"),
        ("darwin", {}, "Library/Application Support/residual-explorer"),
        ("win32", {"LOCALAPPDATA": "{tmp}/local"}, "local/residual-explorer"),
    ],
)
def test_each_platform_has_its_place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    variables: dict[str, str],
    expected: str,
) -> None:
    for name in ("EXPLORER_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert home() == tmp_path / expected


def test_a_home_that_cannot_be_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ExplorerError, match="set EXPLORER_HOME") as caught:
        home()
    assert "\n" not in str(caught.value)
