"""fetch against a server on this machine that does all that servers do wrong."""

import hashlib
import io
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

from explorer.data import cifar
from explorer.data.fetch import ARCHIVE, Patience, Progress, fetch
from explorer.errors import ExplorerError
from tests.data.layouts import write_batches

FAST = Patience(timeout=0.5, grace=0.3, bytes_per_second=100_000)


@dataclass
class Site:
    """The server: what it holds, and what it was asked for."""

    content: bytes
    address: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(path, Range header)"""

    def __call__(self, *paths: str) -> tuple[str, ...]:
        return tuple(f"{self.address}/{path}" for path in paths)

    @property
    def md5(self) -> str:
        return hashlib.md5(self.content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        name = self.path.strip("/")
        asked = self.headers.get("Range", "")
        self.site.asked.append((name, asked))
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        try:
            getattr(self, name)(start)
        except (BrokenPipeError, ConnectionResetError):
            return

    def log_message(self, *_: object) -> None:
        return

    def head(self, status: int, length: int | None, content_range: str = "") -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def good(self, start: int, content: bytes | None = None) -> None:
        whole = self.site.content if content is None else content
        if start >= len(whole):
            self.head(416, 0, f"bytes */{len(whole)}")
            return
        if start:
            self.head(206, len(whole) - start, f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        else:
            self.head(200, len(whole))
        self.wfile.write(whole[start:])

    def missing(self, start: int) -> None:
        self.send_error(404, "Not Found")

    def lies(self, start: int) -> None:
        self.good(start, b"x" * len(self.site.content))

    def ignores_range(self, start: int) -> None:
        self.good(0)

    def other_range(self, start: int) -> None:
        """Begins 10 bytes early, and says so."""
        whole = self.site.content
        if not start:
            return self.good(0)
        self.head(206, len(whole) - start + 10, f"bytes {start - 10}-{len(whole) - 1}/{len(whole)}")
        self.wfile.write(whole[start - 10 :])
        return None

    def wrong_part(self, start: int) -> None:
        self.head(206, 5, f"bytes 5-9/{len(self.site.content)}")
        self.wfile.write(self.site.content[5:10])

    def cuts_off(self, start: int) -> None:
        """A third of the whole at a time."""
        whole = self.site.content
        self.head(
            206 if start else 200, len(whole) - start, f"bytes {start}-{len(whole) - 1}/{len(whole)}" * bool(start)
        )
        self.wfile.write(whole[start : start + len(whole) // 3 + 1])

    def stands_still(self, start: int) -> None:
        """A fourth, and then nothing."""
        self.head(200, len(self.site.content))
        self.wfile.write(self.site.content[: len(self.site.content) // 4])
        self.wfile.flush()
        time.sleep(1.5)

    def trickles(self, start: int) -> None:
        """About 20 kB a second; the whole within a second or so."""
        whole = self.site.content
        self.head(
            206 if start else 200, len(whole) - start, f"bytes {start}-{len(whole) - 1}/{len(whole)}" * bool(start)
        )
        for place in range(start, len(whole), 1000):
            self.wfile.write(whole[place : place + 1000])
            self.wfile.flush()
            time.sleep(0.05)

    def says_more(self, start: int) -> None:
        """Content-Length is 50 too large."""
        if start:
            return self.good(start)
        self.head(200, len(self.site.content) + 50)
        self.wfile.write(self.site.content)
        return None

    def says_less(self, start: int) -> None:
        self.head(200, len(self.site.content) - 50)
        self.wfile.write(self.site.content)

    def says_nothing(self, start: int) -> None:
        self.head(200, None)
        self.wfile.write(self.site.content)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("archive")
    write_batches(folder / cifar.FOLDER, rows=1)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.add(folder / cifar.FOLDER, cifar.FOLDER)
    return stream.getvalue()


@pytest.fixture
def site(archive: bytes) -> Iterator[Site]:
    site = Site(archive)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    server.daemon_threads = True
    server.block_on_close = False
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def got(site: Site, folder: Path, *paths: str, patience: Patience = FAST) -> list[Progress]:
    """Fetch to the end, and check what is there then."""
    told = list(fetch(folder, site(*paths), site.md5, patience))
    assert not cifar.missing(folder / cifar.FOLDER)
    assert sorted(path.name for path in folder.iterdir()) == [".fetch.lock", cifar.FOLDER]
    return told


def test_a_good_address_is_all_it_takes(site: Site, tmp_path: Path) -> None:
    told = got(site, tmp_path, "good", "missing")
    assert site.asked == [("good", "")]
    assert (told[-1].bytes_done, told[-1].bytes_total) == (len(site.content), len(site.content))
    assert told[-1].address == site("good")[0]
    assert list(fetch(tmp_path, site("missing"), site.md5)) == []  # it is there already


def test_without_a_folder_it_goes_where_auto_looks(site: Site, own_home: Path) -> None:
    list(fetch(None, site("good"), site.md5, FAST))
    assert not cifar.missing(own_home / "data" / cifar.FOLDER)


@pytest.mark.parametrize("bad", ["missing", "lies", "says_less"])
def test_a_bad_address_is_left_for_the_next(site: Site, tmp_path: Path, bad: str) -> None:
    got(site, tmp_path, bad, "good")
    assert site.asked[-1] == ("good", "")  # from the beginning: nothing of the bad one is kept


def test_an_address_that_cuts_off_is_asked_for_the_rest(site: Site, tmp_path: Path) -> None:
    got(site, tmp_path, "cuts_off")
    third = len(site.content) // 3 + 1
    assert site.asked == [("cuts_off", ""), ("cuts_off", f"bytes={third}-"), ("cuts_off", f"bytes={2 * third}-")]


def test_what_a_stalling_address_gave_is_kept_for_the_next(site: Site, tmp_path: Path) -> None:
    got(site, tmp_path, "stands_still", "good")
    assert site.asked[-1] == ("good", f"bytes={len(site.content) // 4}-")


def test_a_slow_address_is_left_for_a_faster_one_which_goes_on(archive: bytes, site: Site, tmp_path: Path) -> None:
    site.content = archive + b"\0" * 20_000  # gzip passes over zeros after its end
    got(site, tmp_path, "trickles", "good")
    assert [name for name, _ in site.asked] == ["trickles", "good"]
    assert 0 < int(site.asked[-1][1].removeprefix("bytes=").removesuffix("-")) < len(site.content)


def test_where_all_are_slow_slow_is_good_enough(archive: bytes, site: Site, tmp_path: Path) -> None:
    site.content = archive + b"\0" * 12_000
    got(site, tmp_path, "trickles", "missing")
    assert [name for name, _ in site.asked] == ["trickles", "missing", "trickles"]


@pytest.mark.parametrize("name", ["good", "ignores_range", "other_range", "says_more", "says_nothing"])
def test_a_part_from_before_is_gone_on_with_or_begun_again(site: Site, tmp_path: Path, name: str) -> None:
    part = tmp_path / f"{ARCHIVE}.part"
    part.write_bytes(site.content[:1000])
    got(site, tmp_path, name)
    assert site.asked[0] == (name, "bytes=1000-")


def test_another_range_than_asked_for_is_not_downloaded_first(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{ARCHIVE}.part").write_bytes(site.content[:1000])
    told = got(site, tmp_path, "other_range")
    assert site.asked == [("other_range", "bytes=1000-"), ("other_range", "")]
    assert len([progress for progress in told if progress.bytes_done == len(site.content)]) == 1


def test_an_address_that_always_sends_another_part_is_left(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{ARCHIVE}.part").write_bytes(site.content[:1000])
    got(site, tmp_path, "wrong_part", "good")
    assert [name for name, _ in site.asked] == ["wrong_part", "wrong_part", "good"]


@pytest.mark.parametrize("wrong", [b"y" * 1000, b"y" * 10_000_000])
def test_a_wrong_part_from_before_is_thrown_away_and_the_address_not_blamed(
    site: Site, tmp_path: Path, wrong: bytes
) -> None:
    (tmp_path / f"{ARCHIVE}.part").write_bytes(wrong)
    got(site, tmp_path, "good")
    assert site.asked == [("good", f"bytes={len(wrong)}-"), ("good", "")]


def test_a_complete_part_is_unpacked_without_a_byte_more(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{ARCHIVE}.part").write_bytes(site.content)
    got(site, tmp_path, "good")
    assert site.asked == [("good", f"bytes={len(site.content)}-")]  # answered with 416


def test_a_content_length_that_promises_too_much_does_no_harm(site: Site, tmp_path: Path) -> None:
    got(site, tmp_path, "says_more")
    assert site.asked == [("says_more", ""), ("says_more", f"bytes={len(site.content)}-")]


def test_when_all_fail_one_line_tells_what_each_did(site: Site, tmp_path: Path) -> None:
    addresses = (*site("missing", "lies", "stands_still"), "http://127.0.0.1:9/closed", "nonsense")
    with pytest.raises(ExplorerError) as caught:
        list(fetch(tmp_path, addresses, site.md5, FAST))
    told = str(caught.value)
    assert "\n" not in told
    for words in (*addresses, "404 Not Found", "MD5", "sent nothing for 0.5 seconds", "refused", "unknown url type"):
        assert words in told
    assert cifar.missing(tmp_path / cifar.FOLDER)


def test_stopping_in_the_middle_keeps_what_came_and_frees_the_lock(archive: bytes, site: Site, tmp_path: Path) -> None:
    site.content = archive + b"\0" * 30_000
    patient = Patience(timeout=1, grace=60)
    stream = fetch(tmp_path, site("trickles"), site.md5, patient)
    done = next(stream).bytes_done
    stream.close()
    assert (tmp_path / f"{ARCHIVE}.part").stat().st_size >= done > 0
    got(site, tmp_path, "good")
    assert site.asked[-1][1].startswith("bytes=")


def test_a_second_process_waits_and_then_finds_it_done(site: Site, tmp_path: Path) -> None:
    site.content += b"\0" * 20_000
    program = (
        "import sys; from pathlib import Path; from explorer.data.fetch import fetch, Patience\n"
        "list(fetch(Path(sys.argv[1]), (sys.argv[2],), sys.argv[3], Patience(grace=60)))"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path), *site("trickles"), site.md5]
    processes = [subprocess.Popen(arguments, cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert [name for name, _ in site.asked] == ["trickles"]
    assert not cifar.missing(tmp_path / cifar.FOLDER)


def test_while_another_fetches_one_is_told_how_far_it_is(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{ARCHIVE}.part").write_bytes(site.content[:700])
    with FileLock(tmp_path / ".fetch.lock", thread_local=False):
        stream = fetch(tmp_path, site("good"), site.md5, FAST)
        progress = next(stream)
    assert (progress.bytes_done, progress.bytes_total, progress.address) == (700, None, "")
    assert list(stream)[-1].bytes_done == len(site.content)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_told_in_one_line(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{ARCHIVE}.part").symlink_to("/dev/full")
    with pytest.raises(ExplorerError, match="disk is full") as caught:
        list(fetch(tmp_path, site("good"), site.md5, FAST))
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExplorerError, match="cannot write to"):
        list(fetch(tmp_path / "file" / "data", site("good"), site.md5, FAST))


def tar_with(name: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    return stream.getvalue()


@pytest.mark.parametrize("content", [tar_with("../escaped"), tar_with("other"), b"no archive", tar_with("x")[:30]])
def test_an_archive_that_is_not_what_it_should_be_leaves_nothing(site: Site, tmp_path: Path, content: bytes) -> None:
    site.content = content
    folder = tmp_path / "data"
    with pytest.raises(ExplorerError, match="archive of CIFAR-10"):
        list(fetch(folder, site("good"), site.md5, FAST))
    assert not (folder / cifar.FOLDER).exists()
    assert not (tmp_path / "escaped").exists()


def test_an_incomplete_folder_is_set_aside_and_replaced(site: Site, tmp_path: Path) -> None:
    (tmp_path / cifar.FOLDER).mkdir()
    (tmp_path / cifar.FOLDER / "data_batch_1").write_text("mine")
    list(fetch(tmp_path, site("good"), site.md5, FAST))
    assert not cifar.missing(tmp_path / cifar.FOLDER)
    assert (tmp_path / f"{cifar.FOLDER}.incomplete" / "data_batch_1").read_text() == "mine"
