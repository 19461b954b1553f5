"""Whether what a file says is of the kind that a dataclass's field is declared as: a file may say anything."""

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

_LONGEST = 1000  # letters: no name, date or description of ours is nearly so long
LARGEST = 2**53
"""Of whole numbers: beyond it, a browser's are no longer exact."""


_known: dict[Any, dict[str, Any]] = {}


def kinds(of: Any) -> dict[str, Any]:
    """The fields of a dataclass, and what each is declared as."""
    if of not in _known:
        hints = get_type_hints(of)
        _known[of] = {f.name: hints[f.name] for f in fields(of)}
    return _known[of]


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a declared kind: a simple type, a dataclass, a tuple or dictionary of some, or a union.

    A whole number will do for a float, True and False for no number.
    """
    parts = get_args(kind)
    if get_origin(kind) is UnionType:
        return any(fits(value, part) for part in parts)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(fits(one, parts[0]) for one in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(fits(k, parts[0]) and fits(v, parts[1]) for k, v in value.items())
    if kind in (int, float):
        number = isinstance(value, int | float if kind is float else int) and not isinstance(value, bool)
        return number and not (isinstance(value, int) and abs(value) > LARGEST)
    if not isinstance(value, kind):
        return False
    if is_dataclass(kind):
        return all(fits(getattr(value, name), part) for name, part in kinds(kind).items())
    return not isinstance(value, str) or len(value) <= _LONGEST
