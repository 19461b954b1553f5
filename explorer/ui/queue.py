"""Where what waits to be trained stands in the queue, in words."""

from collections.abc import Mapping, Sequence

from explorer import jobs
from explorer.engines import slots as engine_slots
from explorer.jobs import Place
from explorer.language import tr
from explorer.runs import DONE, LOCAL, QUEUED, RAY, RUNNING, Run
from explorer.ui import resources, sentences

_AT_ONCE_SECONDS = 2.0  # a worker takes as long to start


def slots() -> int:
    """How many runs this machine trains at once."""
    return engine_slots.count(resources.server().store)


def finished() -> list[Run]:
    """What tells how fast runs go here: what ran on this machine; before anything has, the recordings."""
    own = [run for run in resources.server().store.runs() if run.state == DONE and run.location]
    return own or resources.library().runs()


def places() -> dict[str, Place]:
    """Of all runs that wait, whatever for."""
    store = resources.server().store
    return jobs.places(store, LOCAL, finished(), slots()) | jobs.places(store, RAY, [], None)


def short(run: Run, known: Mapping[str, Place]) -> str:
    """Its state in a narrow column, if it waits; empty otherwise."""
    place = known.get(run.run) if run.state == QUEUED else None
    if place is None:
        return ""
    if place.seconds is None or place.seconds < _AT_ONCE_SECONDS:
        return tr("queued: no. {place}", place=place.number)
    return tr("queued: no. {place}, in {time}", place=place.number, time=sentences.duration(place.seconds))


def said(runs: Sequence[Run]) -> str:
    """The place of the first of these that waits; empty while one of them is trained, or none waits."""
    if any(run.state == RUNNING for run in runs) or not any(run.state == QUEUED for run in runs):
        return ""
    every = places()
    found = sorted((every[run.run] for run in runs if run.run in every), key=lambda place: place.number)
    return _in_words(found[0]) if found else ""


def _in_words(place: Place) -> str:
    first = place.number == 1
    words = tr("next in the queue") if first else tr("number {place} in the queue", place=place.number)
    if place.seconds is None or place.seconds < _AT_ONCE_SECONDS:
        return words
    return tr("{place}, begins in about {time}", place=words, time=sentences.duration(place.seconds))
