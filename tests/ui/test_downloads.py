"""What every button that hands out a file keeps, and that a file stays until a browser has fetched it."""

import ast
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

import explorer
from explorer.ui import download

BUTTONS = [
    (path.name, node)
    for path in sorted(Path(explorer.__file__).parent.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "download_button"
]


def test_a_press_does_not_run_the_page_which_could_take_the_file_back_before_the_browser_has_it() -> None:
    assert BUTTONS
    for name, call in BUTTONS:
        asked = {one.arg: ast.unparse(one.value) for one in call.keywords}
        assert asked.get("on_click") == "'ignore'", f"{name}, line {call.lineno}"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MediaFileManager:
    """Those that a server hands out."""
    found = MediaFileManager(MemoryMediaFileStorage("/media"))
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: SimpleNamespace(media_file_mgr=found))
    return found


def _pressed(files: MediaFileManager, make: Callable[[], bytes | str]) -> str:
    """The file's name in its address, as a browser is told it."""
    asked = files.add_deferred(make, "text/plain", "a button", "file.txt")
    return files.execute_deferred(asked).rpartition("/")[2]


def _pages_run(files: MediaFileManager, times: int) -> None:
    for _ in range(times):
        files.remove_orphaned_files()


def test_a_file_stays_though_others_pages_run(files: MediaFileManager) -> None:
    for content in ("with words", b"with bytes"):
        address = _pressed(files, lambda content=content: download.made(lambda: content, "file.txt", "text/plain"))
        _pages_run(files, 5)
        kept = files.read_file(address)
        assert kept
        assert kept.content == (content if isinstance(content, bytes) else content.encode())


def test_without_that_streamlit_forgets_it() -> None:
    """If this fails, `made` need keep nothing any more."""
    files = MediaFileManager(MemoryMediaFileStorage("/media"))
    address = _pressed(files, lambda: "with words")
    _pages_run(files, 2)
    assert files.read_file(address) is None


def test_no_more_than_the_last_files_are_kept(files: MediaFileManager) -> None:
    def nth(number: int) -> Callable[[], bytes]:
        return lambda: download.made(lambda: f"file {number}", "file.txt", "text/plain")

    addresses = [_pressed(files, nth(number)) for number in range(download._KEPT + 3)]
    _pages_run(files, 5)
    assert [files.read_file(one) is None for one in addresses] == [True] * 3 + [False] * download._KEPT
