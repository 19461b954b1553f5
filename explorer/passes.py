"""Signed passes: who somebody is in a room, as a text that nobody else can write and that ends by itself."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ExplorerError, RequestError
from explorer.language import tr

PRESENTER, VISITOR = "presenter", "visitor"
VALID_SECONDS = 12 * 3600.0
_BYTES = 32
_LONGEST = 200


@dataclass(frozen=True)
class Pass:
    """What a signed text says of whoever shows it."""

    code: str
    """The room's."""
    opened: str
    """When that room was opened: the code may be another room's one day."""
    role: str
    member: str
    """Drawn at random; whose vote and whose runs."""

    @property
    def presents(self) -> bool:
        """Whether this is the room's presenter."""
        return self.role == PRESENTER


class Signer:
    """Signs passes with a secret that only this store's folder has (`room.secret`, readable by its owner alone)."""

    def __init__(self, folder: Path) -> None:
        self._secret = _secret(folder / "room.secret")

    def sign(self, code: str, opened: str, role: str, now: float) -> str:
        """A pass for a new member, which ends after `VALID_SECONDS`."""
        said = f"{code}.{opened}.{role}.{secrets.token_hex(8)}.{int(now + VALID_SECONDS)}"
        return f"{said}.{self._mac(said)}"

    def read(self, signed: str, now: float) -> Pass:
        """What a pass says; RequestError for one that this server never gave, or that has ended."""
        said, _, mac = signed[:_LONGEST].rpartition(".")
        parts = said.split(".")
        if len(parts) != 5 or not hmac.compare_digest(mac.encode(), self._mac(said).encode()):
            raise RequestError(tr("this link to a room is not one that this server gave"))
        code, opened, role, member, ends = parts
        if now >= int(ends):
            raise RequestError(tr("this link to a room has ended: links hold for 12 hours"))
        return Pass(code, opened, role, member)

    def _mac(self, said: str) -> str:
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()


def _secret(path: Path) -> bytes:
    """Made when it is first needed; two servers that start at once take the same."""
    try:
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
            try:
                os.link(draft, path)  # whole or not at all, and never over another's
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        found = path.read_bytes()
    except OSError as error:
        raise ExplorerError(tr("{file} cannot be used ({reason})", file=path, reason=error.strerror)) from None
    if len(found) != _BYTES:
        raise ExplorerError(tr("{file} is damaged: delete it, and the links given so far end", file=path))
    return found
