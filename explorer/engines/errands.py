"""Work of seconds that visitors of a page wait for: done once for all who ask, with how far it is, and ended early.

Two threads of the page's server do it, the shortest first; one of them takes nothing slow, so that what is quick never
waits for what is slow. What nobody has asked for in ten seconds is left alone: who waits for it asks again and again.
Who stops it stops it for themselves: others who wait go on waiting.
"""

import atexit
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

QUICK_SECONDS = 2.0
WHEN_IDLE = math.inf
"""In place of an estimate, for what is done only when nothing else waits."""
_FORGOTTEN_SECONDS = 10.0
_PATIENCE_SECONDS = 20.0  # at the end of the program, for one batch of images


class UnwantedError(Exception):
    """Raised inside of work that is not wanted any more."""


@dataclass(eq=False)
class Errand:
    """A piece of work that waits, is under way, or is done."""

    work: Callable[["Errand"], Any]
    seconds: float
    """How long it takes, about."""
    share: float = 0.0
    """How much of it is done, 0..1, as far as the work says so."""
    result: Any = None
    error: Exception | None = None
    asked: dict[Hashable, float] = field(default_factory=dict)
    """By whom, and when last, until it is done."""
    begun: float | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    unwanted: bool = False

    @property
    def done(self) -> bool:
        """Whether `value` answers."""
        return self.ended.is_set()

    @property
    def remaining(self) -> float:
        """Seconds until it is done: by what it has done, by the estimate before there is any."""
        if self.done:
            return 0.0
        if self.begun is None or self.share < 0.02:
            return self.seconds
        return (time.monotonic() - self.begun) * (1 - self.share) / self.share

    @property
    def forgotten(self) -> bool:
        """Whether nobody has asked for it lately."""
        return all(time.monotonic() - asked > _FORGOTTEN_SECONDS for asked in list(self.asked.values()))

    def note(self, share: float) -> None:
        """Say how far the work is, from inside of it. Raises UnwantedError if nobody wants it any more."""
        self.share = min(1.0, share)
        if self.unwanted or self.forgotten:
            raise UnwantedError

    def value(self) -> Any:
        """What the work returned; what it raised is raised again."""
        if self.error is not None:
            raise self.error
        return self.result


class Errands:
    """All the work of one server; the last `kept` results stay."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._known: OrderedDict[Hashable, Errand] = OrderedDict()
        self._waiting: list[Errand] = []
        self._changed = threading.Condition()
        self._ending = False
        self._hands = [
            threading.Thread(target=self._toil, args=(most,), name="errands", daemon=True)
            for most in (QUICK_SECONDS, WHEN_IDLE)
        ]
        for hand in self._hands:
            hand.start()
        atexit.register(self.end)

    def ask(self, key: Hashable, work: Callable[[Errand], Any], seconds: float, who: Hashable = None) -> Errand:
        """The errand called `key`, which `work` does, for `who`; it is begun as soon as there is a hand free."""
        with self._changed:
            found = self._known.get(key)
            if found is None or found.unwanted:
                found = self._known[key] = Errand(work, seconds, asked={who: time.monotonic()})
                self._waiting.append(found)
                self._forget()
                self._changed.notify_all()
            self._known.move_to_end(key)
            if not found.done:
                found.asked[who] = time.monotonic()
            return found

    def get(self, key: Hashable) -> Errand | None:
        """The errand called `key`, if it was asked for and is not forgotten."""
        return self._known.get(key)

    def drop(self, errands: Sequence[Errand], who: Hashable = None) -> None:
        """`who` wants these no longer: those end that are not done and that nobody else has asked for lately.

        Asked for again, they begin anew.
        """
        with self._changed:
            for one in errands:
                one.asked.pop(who, None)
                one.unwanted = not one.done and one.forgotten
            self._waiting = [one for one in self._waiting if not one.unwanted]

    def end(self) -> None:
        """Begin nothing more and wait for what is under way: a thread inside of torch would abort the program's end."""
        with self._changed:
            self._ending = True
            self._waiting.clear()
            for one in self._known.values():
                one.unwanted = not one.done
            self._changed.notify_all()
        for hand in self._hands:
            hand.join(_PATIENCE_SECONDS)

    def _forget(self) -> None:
        over = len(self._known) - self._kept
        for key in [key for key, one in self._known.items() if one.done or one.unwanted][: max(0, over)]:
            del self._known[key]

    def _next(self, most: float) -> Errand | None:
        """The shortest that waits and that somebody still wants, of at most so many seconds; None at the end."""
        with self._changed:
            while not self._ending:
                fitting = [one for one in self._waiting if one.seconds <= most]
                if fitting:
                    found = min(fitting, key=lambda one: one.seconds)
                    self._waiting.remove(found)
                    if not found.forgotten:
                        return found
                    found.unwanted = True
                else:
                    self._changed.wait()
            return None

    def _toil(self, most: float) -> None:
        while errand := self._next(most):
            errand.begun = time.monotonic()
            try:
                errand.result = errand.work(errand)
            except UnwantedError:
                errand.unwanted = True
                continue
            except Exception as error:  # whoever asked is told
                errand.error = error
            errand.share = 1.0
            with self._changed:
                errand.ended.set()
                errand.asked.clear()


def wait(errands: Sequence[Errand], seconds: float) -> bool:
    """Whether all of them are done within so many seconds."""
    end = time.monotonic() + seconds
    return all(one.ended.wait(max(0.0, end - time.monotonic())) for one in errands)
