"""What the code says to people: every text that is given to `tr`, found in the syntax tree.

`python -m tests.said ko` writes the Korean catalogue anew: each text in the order of the source, translations kept,
those of texts that are gone left out. Then it says how many are still to be translated. (`pybabel extract` passes over
texts in f-strings.)
"""

import ast
import string
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import normalize, read_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "assets" / "locale"
_WIDTH = 118


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


def write_catalogue(language: str, folder: Path = CATALOGUES) -> int:
    """Make or renew a language's catalogue; how many texts have no translation in it."""
    file = folder / language / "LC_MESSAGES" / "explorer.po"
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if file.exists():
        with file.open("rb") as content:
            known = {message.id: message.string for message in read_po(content) if message.id}
    head = f"Language: {language}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    head += "Content-Transfer-Encoding: 8bit\nPlural-Forms: nplurals=1; plural=0;\n"
    translations = {"": head} | {one.text: known.get(one.text, "") for one in said() if one.text}
    entries = [
        f"msgid {normalize(text, width=_WIDTH)}\nmsgstr {normalize(translated, width=_WIDTH)}\n"
        for text, translated in translations.items()
    ]
    file.write_text("\n".join(entries), encoding="utf-8")
    return sum(not translated for translated in translations.values())


def _constant(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


if __name__ == "__main__":
    sys.stdout.write(f"{write_catalogue(sys.argv[1])} texts have no translation yet\n")
