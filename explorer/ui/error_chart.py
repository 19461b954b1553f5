"""The chart of runs' errors: while any of them trains it keeps itself new, else it can be replayed."""

import time
from collections.abc import Sequence

import streamlit as st

from explorer import jobs
from explorer.config import RunConfig
from explorer.device import told_device
from explorer.language import language, tr, using
from explorer.paper import printed_errors
from explorer.plots import curves, theme
from explorer.plots import still as stills
from explorer.plots.curves import Curve
from explorer.recipes import is_papers
from explorer.runs import ACTIVE, FAILED, LOCAL, QUEUED, RUNNING, Run
from explorer.ui import engine, frame, live_feed, queue, resources, sentences
from explorer.ui.live_feed import Picture, Version
from explorer.ui.live_plot import Replay, live_plot, watched_plot
from explorer.ui.names import label, message
from explorer.ui.runs import records

_CURVES_HEIGHT, _NARROW_HEIGHT = 350, 640
_WAIT_SECONDS = 5.0  # so often it is said anew how long what waits has to wait


def draw(live: Sequence[Run], recorded: Sequence[Run], *, key: str, steps: int = 1) -> None:
    """Runs of the store, with recordings faint behind them; `steps` is the x axis where there is neither."""
    shown = [*live, *recorded]
    if any(run.state in ACTIVE for run in live):
        _watched(live, recorded, key)
    else:
        figure, alt, narrow = _drawn(live, recorded, steps)
        replay = Replay(shown[0].config.training.steps, max(map(_seconds, shown))) if shown else None
        live_plot(figure, key=key, height=_CURVES_HEIGHT, alt=alt, narrow=narrow, replay=replay)
    for run in live:
        if run.state == FAILED:
            st.error(frame.plain(f"{label(run)}: {message(run)}"))


def still(recorded: Sequence[Run]) -> str:
    """The chart of recordings alone as HTML, until a browser can draw it."""
    figure, _, narrow = _drawn([], recorded, 1)
    return stills.still(figure, _CURVES_HEIGHT, narrow) if narrow else ""


def estimate(configs: list[RunConfig]) -> float | None:
    """Seconds that these runs will take, by what ran on this machine; before anything has, by the recordings'.

    None for a cluster: nobody knows how many of them it runs at once.
    """
    if engine.chosen() != LOCAL:
        return None
    return jobs.estimate(configs, queue.finished(), queue.slots())


def _watched(live: Sequence[Run], recorded: Sequence[Run], key: str) -> None:
    """The runs under way, the same picture for all who watch them."""
    store, runs, spoken = resources.server().store, [run.run for run in live], language()

    def version() -> Version:
        standing = store.standing(runs)
        states = {state for _, state, *_ in standing}
        waits = time.monotonic() // _WAIT_SECONDS if QUEUED in states and RUNNING not in states else None
        return Version(repr([row[:2] for row in standing]), repr((standing, waits)))

    def picture() -> Picture:
        now = [run for run in map(store.get, runs) if run]
        with using(spoken):
            return Picture(*_drawn(now, recorded, 1), *_progress(now))

    what = (str(store.folder), runs, [run.run for run in recorded], spoken)
    name, feed = live_feed.offer(repr(what), version, picture)
    watched_plot(name, feed, key=key, height=_CURVES_HEIGHT)


def _drawn(live: Sequence[Run], recorded: Sequence[Run], steps: int) -> tuple[theme.Figure, str, theme.Narrow | None]:
    """The curves, what they show in words, their arrangement on a phone; `steps` is the x axis where none is drawn."""
    drawn = [_curve(run, recorded=True) for run in recorded] + [_curve(run, recorded=False) for run in live]
    shown = [*live, *recorded]
    figure = curves.error_curves(drawn, shown[0].config.training.steps if shown else steps, _marks(shown))
    return figure, curves.alternative_text(drawn), theme.stacked(figure, _NARROW_HEIGHT)


def _marks(shown: Sequence[Run]) -> list[curves.Mark]:
    """The paper's errors at the end, beside runs of its recipe."""
    networks = dict.fromkeys(run.config.network for run in shown if is_papers(run.config.training))
    found = [(network, printed_errors(network.family, network.depth)) for network in networks]
    return [curves.Mark(network, errors.training, errors.test, errors.source) for network, errors in found if errors]


def _seconds(run: Run) -> float:
    return run.provenance.seconds if run.provenance else 0.0


def _progress(live: Sequence[Run]) -> tuple[float, str]:
    """How far the seeds under way are, 0..1 and in words."""
    store = resources.server().store
    seeds = {run.config.seed for run in live if run.state in ACTIVE}
    together = [run for run in live if run.config.seed in seeds]
    now, left = jobs.progress(store, together), jobs.remaining(store, together)
    speed = now.images_per_second
    if waits := queue.said(together):
        return min(now.done, 1.0), waits
    words = [told_device(now.device), tr("{speed:,.0f} images/s", speed=speed) if speed else tr("starting …")]
    words += [tr("about {time} left", time=sentences.duration(left))] if left else []
    return min(now.done, 1.0), " · ".join(word for word in words if word)


def _curve(run: Run, recorded: bool) -> Curve:
    return Curve(run.config, records(run), recorded)
