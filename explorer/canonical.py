"""What all configs share: canonical JSON, checks of their fields, reading what was typed. No torch here.

A config leaves out of its canonical form whatever equals the default, so that a field added later does
not change the identity of the runs there are. For the same reason a default, once published, stays.
"""

import json
import math
from dataclasses import fields
from typing import Any, Self

from explorer import kinds
from explorer.errors import RequestError
from explorer.language import tr


class Config:
    """What all configs share: a canonical JSON form and the identity made from it."""

    def to_dict(self) -> dict[str, Any]:
        """Fields that differ from their defaults, as plain JSON values."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        defaults = {f.name: f.default for f in fields(self)}  # type: ignore[arg-type]
        return {
            name: value.to_dict() if isinstance(value, Config) else value
            for name, value in named.items()
            if value != defaults[name]
        }

    def to_json(self) -> str:
        """The canonical form: sorted keys, no spaces, defaults left out."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read `to_dict` back; an unknown field is refused, as it may change what the run means."""
        known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise RequestError(
                tr(
                    "{kind} has no field {fields}: written by a newer version?",
                    kind=cls.__name__,
                    fields=", ".join(unknown),
                )  # fmt: skip
            )
        typed = {name: _typed(known[name].type, value) for name, value in values.items()}
        for name, value in typed.items():
            if not kinds.fits(value, kinds.kinds(cls)[name]) or (isinstance(value, float) and not math.isfinite(value)):
                raise RequestError(tr("{name} cannot be {value!r}", name=name, value=str(value)[:60]))
        return cls(**typed)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the canonical form back; what is none is refused."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RequestError(tr("{kind} is not JSON: {reason}", kind=cls.__name__, reason=error)) from None
        if not isinstance(values, dict):
            raise RequestError(tr("{kind} cannot be read from {text!r}", kind=cls.__name__, text=text[:60]))
        return cls.from_dict(values)


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Config) and isinstance(value, dict):
        return kind.from_dict(value)
    return tuple(value) if isinstance(value, list) else value


def one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a value that is not one of the known."""
    if value not in known:
        raise RequestError(
            tr("{name} {value!r} is unknown: choose one of {known}", name=name, value=value, known=", ".join(known))
        )


def between(name: str, value: Any, low: int, high: int) -> None:
    """Refuse what is not a whole number of the range."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(
            tr(
                "{name} is {value}: it must be a whole number from {low} to {high}",
                name=name,
                value=value,
                low=low,
                high=high,
            )  # fmt: skip
        )


def parsed(key: str, kind: Any, text: str) -> Any:
    """A field's value from what was typed after `key=`."""
    try:
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
        if kind is str:
            return text
        if kind is bool:
            return {"on": True, "off": False}[text]
        return tuple(int(part) for part in text.split(",") if part)
    except KeyError:
        raise RequestError(tr("{key} cannot be {text!r}: write on or off", key=key, text=text)) from None
    except ValueError:
        if kind is int:
            raise RequestError(tr("{key} cannot be {text!r}: a whole number is needed", key=key, text=text)) from None
        raise RequestError(tr("{key} cannot be {text!r}: a number is needed", key=key, text=text)) from None
