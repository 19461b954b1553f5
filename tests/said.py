"""What the code says to people: every text that is given to `tr`, found in the syntax tree."""

import ast
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Said:
    """One call of `tr`, or of `later`."""

    where: str
    text: str | None
    """None where it is no plain string: nobody could translate it."""


def said() -> Iterator[Said]:
    """All of the program, in the order of its files."""
    for folder in ("explorer", "pages"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "later"):
                    yield Said(f"{file.relative_to(ROOT)}:{node.lineno}", _constant(node))


def fields(text: str) -> set[str]:
    """The names in {braces}."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _constant(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
