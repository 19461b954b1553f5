"""What all commands share: where output goes, and the options that several have."""

import json
import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any

from explorer.errors import RequestError
from explorer.home import home
from explorer.recordings import Catalogue, Library
from explorer.runs import Store


def command(subparsers: Any, name: str, run: Callable[[Namespace], None], help: str, **options: Any) -> ArgumentParser:
    """A command's parser, with --json, that will call `run`."""
    parser: ArgumentParser = subparsers.add_parser(name, help=help, description=help, **options)
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout, the result last")
    parser.set_defaults(command=run)
    return parser


def result(options: Namespace, values: dict[str, Any], text: str | None = None) -> None:
    """Write a command's result: JSON, or lines for people."""
    if options.json:
        line(values)
    else:
        sys.stdout.write((text if text is not None else _table(values)) + "\n")


def line(values: dict[str, Any]) -> None:
    """One JSON line on stdout; JSON has no infinity, and nothing that is no number: they become null."""
    sys.stdout.write(json.dumps(_finite(values), allow_nan=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Progress and remarks, on stderr."""
    sys.stderr.write(text + "\n")


def catalogue() -> Catalogue:
    """The store of this user and the shipped recordings."""
    return Catalogue(Store(home()), Library())


def numbers(name: str, text: str) -> tuple[int, ...]:
    """The whole numbers of an option such as --seeds 0,1,2."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise RequestError(f"--{name} {text!r}: write whole numbers separated by commas, as 0,1,2") from None


def finite(text: str) -> float:
    """The number of an option; for argparse, which refuses what raises ValueError."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def at_least(option: str, value: int, least: int, most: int | None = None) -> None:
    """Refuse a number out of its range."""
    if value < least or (most is not None and value > most):
        wanted = f"{least} or more" if most is None else f"{least} to {most}"
        raise RequestError(f"{option} {value}: write {wanted}")


def percent(fraction: float) -> str:
    """A fraction as people read errors."""
    return f"{100 * fraction:.1f} %"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(values: dict[str, Any]) -> str:
    width = max(len(name) for name in values)
    return "\n".join(f"{name:<{width}}  {_words(value)}" for name, value in values.items())


def _words(value: Any) -> str:
    """A value as people read it: lists and tables in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_words(one) for one in value) or "nothing"
    return str(value)
