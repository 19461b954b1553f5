"""What every button that hands out a file keeps."""

import ast
from pathlib import Path

import explorer

BUTTONS = [
    (path.name, node)
    for path in sorted(Path(explorer.__file__).parent.rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "download_button"
]


def test_a_download_does_not_run_the_page_which_could_take_the_file_back_before_the_browser_has_it() -> None:
    assert len(BUTTONS) >= 5
    for name, call in BUTTONS:
        asked = {one.arg: ast.unparse(one.value) for one in call.keywords}
        assert asked.get("on_click") == "'ignore'", f"{name}, line {call.lineno}"
