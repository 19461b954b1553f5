"""What watchers of a live chart are sent: the newest picture, drawn once however many ask."""

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from explorer.ui import live_feed
from explorer.ui.live_feed import Feed, Picture, Version


class Race:
    """Something that changes, and how often it was drawn."""

    def __init__(self) -> None:
        self.newest, self.stage, self.drawn = 0, "running", 0

    def version(self) -> Version:
        return Version(self.stage, str(self.newest))

    def picture(self) -> Picture:
        self.drawn += 1
        time.sleep(0.05)  # long enough for others to ask meanwhile
        return Picture({"data": [{"y": [self.newest]}]}, "a line", None, 0.25, "a quarter")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the time pass that a picture is handed out unseen."""
    now = [1000.0]
    monkeypatch.setattr(live_feed.time, "monotonic", lambda: now[0])

    def pass_time() -> None:
        now[0] += 1.0

    return pass_time


@pytest.mark.threat("Somebody floods the server")
def test_thirty_watchers_are_sent_one_drawing(later: Callable[[], None]) -> None:
    race = Race()
    feed = Feed(race.version, race.picture)
    started = threading.Barrier(30)

    def ask(_: int) -> bytes:
        started.wait()
        return feed.content().json

    with ThreadPoolExecutor(30) as watchers:
        answers = list(watchers.map(ask, range(30)))
    assert race.drawn == 1
    assert len(set(answers)) == 1
    sent = json.loads(answers[0])
    assert json.loads(sent["figure"])["data"][0]["y"] == [0]
    assert (sent["status"], sent["stage"]) == ({"done": 0.25, "text": "a quarter"}, "running")


def test_it_is_drawn_anew_only_when_something_changed_and_not_at_every_look(later: Callable[[], None]) -> None:
    race = Race()
    feed = Feed(race.version, race.picture)
    first = feed.content()
    later()
    assert feed.content() == first
    race.newest = 1
    assert feed.content() == first  # looked a moment ago
    later()
    second = feed.content()
    assert second.tag != first.tag
    assert json.loads(json.loads(second.json)["figure"])["data"][0]["y"] == [1]
    race.stage = "done"
    later()
    assert json.loads(feed.content().json)["stage"] == "done"
    assert race.drawn == 3


def test_who_has_the_newest_is_sent_nothing_and_who_asks_for_the_unknown_is_told() -> None:
    client = _client()
    race = Race()
    name, feed = live_feed.offer("this race", race.version, race.picture)
    assert live_feed.offer("this race", race.version, race.picture) == (name, feed)
    status, headers, body = client(f"/live/{name}")
    assert (status, json.loads(body)["alt"]) == (200, "a line")
    status, _, body = client(f"/live/{name}", **{"if-none-match": headers["etag"]})
    assert (status, body) == (304, b"")
    assert client("/live/0000000000000000")[0] == 404


def test_what_browsers_are_sent_is_compressed_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    client, race = _client(), Race()
    name, _ = live_feed.offer("a compressed race", race.version, race.picture)
    _, headers, packed = client(f"/live/{name}", **{"accept-encoding": "gzip, br"})
    assert headers["content-encoding"] == "gzip"
    monkeypatch.setattr("gzip.compress", None)
    assert client(f"/live/{name}", **{"accept-encoding": "gzip"})[2] == packed
    _, plain_headers, plain = client(f"/live/{name}")
    assert "content-encoding" not in plain_headers
    assert plain == gzip.decompress(packed)


def _client() -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """One request after the other to the routes, without a server."""
    app = Starlette(routes=[Route("/live/{name}", live_feed.answer)])

    def get(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        sent: list[dict] = []
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "http_version": "1.1", "scheme": "http", "server": ("test", 80), "client": ("test", 1), "root_path": "",
        }  # fmt: skip

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict) -> None:
            sent.append(message)

        with ThreadPoolExecutor(1) as elsewhere:  # the browser tests leave a loop running in this thread
            elsewhere.submit(lambda: asyncio.run(app(scope, receive, send))).result()
        head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:])

    return get
