"""Who is in a room and who tries to get in, in memory alone: after a restart the pages that are open say it again."""

import threading
from collections import deque

from explorer.errors import RequestError
from explorer.language import tr

HERE_SECONDS = 30.0  # since a page asked last; it asks every 1.5 s, in a browser's hidden tab less often
WRONG_SECONDS, WRONG_SESSION, WRONG_ADDRESS = 60.0, 5, 30


class Presence:
    """Whose pages are open."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def seen(self, code: str, member: str, now: float) -> None:
        """A member's page asked for something."""
        with self._lock:
            self._seen.setdefault(code, {})[member] = now

    def gone(self, code: str, member: str | None = None) -> None:
        """A member left, or all did."""
        with self._lock:
            if member is None:
                self._seen.pop(code, None)
            else:
                self._seen.get(code, {}).pop(member, None)

    def count(self, code: str, now: float) -> int:
        """How many pages of a room are open."""
        with self._lock:
            return sum(at > now - HERE_SECONDS for at in self._seen.get(code, {}).values())


class Guesses:
    """Wrong codes of the last minute: so many a session, so many an address, then one has to wait.

    A class behind one address shares its count; right codes are free.
    """

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, session: str, address: str, now: float) -> None:
        """Refuse who was wrong too often."""
        with self._lock:
            self._wrong = {one: times for one, times in self._wrong.items() if times[-1] > now - WRONG_SECONDS}
            for one, most in ((f"session {session}", WRONG_SESSION), (f"address {address}", WRONG_ADDRESS)):
                if sum(at > now - WRONG_SECONDS for at in self._wrong.get(one, ())) >= most:
                    raise RequestError(tr("too many wrong codes: try again in a minute"))

    def wrong(self, session: str, address: str, now: float) -> None:
        """Count a wrong code."""
        with self._lock:
            for one in (f"session {session}", f"address {address}"):
                self._wrong.setdefault(one, deque(maxlen=WRONG_ADDRESS)).append(now)
