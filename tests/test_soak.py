"""The short form of the soak: what visitors leave behind in a real server when they have gone is nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from benchmarks.soak import MOST_LEFT, Sample, Soaked, figures, soak

EMPTY = Sample(0.0, 500.0, 900.0, 800.0, threads=10, handles=15, connected=0, sessions=1, fragments=0)
_GROWN_MB = 60.0  # by caches that are not full yet; ten visitors of a round with a picture of a figure each are as much


def _soaked(mb_an_hour: float = 0.0, **left: int) -> Soaked:
    """Half an hour, memory first falling by 100 MB, then on a line."""
    rising = [replace(EMPTY, seconds=900 + 60 * i, heap_mb=400 + mb_an_hour * i / 60) for i in range(16)]
    return Soaked(7, [replace(EMPTY, seconds=60 * i) for i in range(15)] + rising, [EMPTY, replace(EMPTY, **left)])


def test_memory_is_judged_by_its_line_over_the_second_half() -> None:
    told = figures(_soaked(mb_an_hour=40.0))
    assert told["heap_mb"]["grown_per_hour"] == pytest.approx(40.0)
    assert told["heap_mb"]["level"] == pytest.approx(405.0)
    assert (told["heap_mb"]["flat"], told["rss_mb"]["flat"], told["flat"]) == (False, True, False)
    assert figures(_soaked(mb_an_hour=20.0))["flat"] is True
    assert figures(_soaked(mb_an_hour=-40.0))["flat"] is True
    assert (told["visits"], told["samples"]) == (7, 31)


@pytest.mark.parametrize(
    ("left", "flat"),
    [
        ({"sessions": 2}, False), ({"fragments": 1}, False), ({"threads": 26, "handles": 31}, True),
        ({"threads": 27}, False), ({"handles": 32}, False),
    ],
)  # fmt: skip
def test_what_visitors_leave_behind_is_no_flat_line(left: dict[str, int], flat: bool) -> None:
    told = figures(_soaked(**left))
    assert told["flat"] is flat
    for name, count in left.items():
        assert (told[name]["before"], told[name]["after"]) == (getattr(EMPTY, name), count)


@pytest.mark.filterwarnings("ignore")  # of a socket that the server has closed before
def test_visitors_who_have_left_leave_nothing_behind() -> None:
    """Three rounds: sessions and fragments go, threads and handles too, and memory grows by no more than its caches."""
    with ThreadPoolExecutor(1) as other:  # the browser tests leave a loop running in this thread
        found = other.submit(lambda: asyncio.run(soak(minutes=0.15, visitors=4, data="shapes", rounds=3))).result()
    first, *_, before_last, last = found.empty
    assert found.visits >= 3 * 4
    assert max(one.connected for one in found.samples) == 4, "they were there"
    assert max(one.fragments for one in found.samples) > 0
    assert (last.connected, last.sessions, last.fragments) == (first.connected, first.sessions, first.fragments)
    assert last.threads <= first.threads + MOST_LEFT["threads"]
    assert last.handles <= first.handles + MOST_LEFT["handles"]
    assert last.heap_mb - before_last.heap_mb < _GROWN_MB
