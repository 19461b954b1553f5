"""What is said to people, in the language of whoever reads it. English stands in the code, the others in assets/locale.

Nothing is process-wide: one server speaks to each of its visitors in that visitor's language.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "ko": "한국어"}
_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "locale"

_chosen: ContextVar[str | None] = ContextVar("language", default=None)


def _english() -> str:
    return ENGLISH


_ask: Callable[[], str] = _english


def tr(text: str, /, **values: object) -> str:
    """`text` in the reader's language, its {fields} filled with `values`; in English where it was not translated."""
    found = _catalogue(language()).get(text) or text
    return found.format(**values) if values else found


def later(text: str) -> str:
    """Marks a text that stands in a table, to be said with `told` when somebody reads it."""
    return text


def told(marked: str, /, **values: object) -> str:
    """`tr` of a text that was marked with `later`."""
    return tr(marked, **values)


def retold(said: str, templates: Iterable[str]) -> str:
    """A text that was filled in and kept in English, told by that of the marked `templates` that it was made from."""
    for template in templates:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(template))
        if found := re.fullmatch(pattern, said):
            return told(template, **found.groupdict())
    return said


def language() -> str:
    """Of who reads what is being said, a key of LANGUAGES."""
    return _chosen.get() or _ask()


def follow(ask: Callable[[], str]) -> None:
    """From now on `ask` says whose language it is; it must know by itself for whom it is called."""
    global _ask
    _ask = ask


@contextmanager
def using(chosen: str) -> Iterator[None]:
    """This language while the context lasts, in this thread, whatever `follow` was given."""
    token = _chosen.set(chosen)
    try:
        yield
    finally:
        _chosen.reset(token)


def one_line(text: str, most: int) -> str:
    """What somebody typed as a name: its printable letters in one line, `most` of them."""
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())[:most]


@cache
def _catalogue(of: str) -> dict[str, str]:
    if of == ENGLISH:
        return {}
    from babel.messages.pofile import read_po  # not before somebody reads another language

    with (_FOLDER / of / "LC_MESSAGES" / "explorer.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}
