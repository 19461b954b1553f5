"""Which device trains and at which precision, in words for people. torch is imported when first asked."""

import ctypes
import gc
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from explorer.language import later, retold

_CORE, _CORES = later("{count} CPU core ({processor})"), later("{count} CPU cores ({processor})")
_AUTOGROUP, _OWN_CGROUP, _CGROUPS = Path("/proc/self/autogroup"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_M_MMAP_THRESHOLD, _LARGE, _USUAL = -3, 65_536, 131_072
_M_ARENA_MAX, _ARENAS = -8, 2
LARGEST_SLOTS = 4  # a race has four networks
NICENESS = 10  # of a process that trains: one that answers somebody gets nine tenths of a core that both want
ALLOCATOR = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8589934592"
    ":glibc.malloc.trim_threshold=8589934592:glibc.malloc.top_pad=268435456"
}
"""Environment of a process that trains: memory comes in large pages and is kept, not asked for anew at each layer.

Up to a tenth faster at 32x32 pixels, nothing at brief sizes (docs/performance.md); ignored but by glibc.
"""


@dataclass(frozen=True)
class Device:
    """A device that can train, and how work is best laid out on it."""

    kind: str
    """cuda, mps or cpu: the name torch knows it by."""
    description: str
    """For people: `NVIDIA H200`, `2 CPU cores (AMD EPYC)`."""
    bf16: bool
    """Whether its processor has instructions for bfloat16."""
    slots: int
    """Trainings that run at once, each in a process of its own."""
    threads: int
    """CPU threads of each."""

    def precision(self, wanted: str) -> str:
        """fp32 or bf16 for a recipe's `precision`."""
        return ("bf16" if self.bf16 else "fp32") if wanted == "auto" else wanted


def told_device(description: str) -> str:
    """A device's description, which records keep in English, in the reader's language."""
    return retold(description, (_CORE, _CORES))


@cache
def device() -> Device:
    """The best device here: CUDA, then MPS, then the CPU."""
    import torch

    if torch.cuda.is_available():
        return Device("cuda", torch.cuda.get_device_name(), torch.cuda.is_bf16_supported(), slots=2, threads=1)
    if torch.backends.mps.is_available():
        return Device("mps", f"{platform.machine()} GPU (Metal)", bf16=False, slots=1, threads=1)
    # Two processes of one thread beat one of two by 1.4 to 2.1 at brief sizes, and a busy neighbour slows a
    # one-thread trainer by 1.13, a two-thread one by 3.3 (measured, see benchmarks/).
    cores = usable_cores()
    slots = min(cores, LARGEST_SLOTS)
    return Device("cpu", processor(), _cpu_has_bf16(), slots=slots, threads=max(1, cores // slots))


def processor() -> str:
    """The processor, for people; what computes without torch runs on it whatever device trains."""
    cores = usable_cores()
    return (_CORES if cores > 1 else _CORE).format(count=cores, processor=_processor())


def versions() -> dict[str, str]:
    """Versions that can change a number: python, torch, and CUDA's or numba's where there is one."""
    import torch

    found = {"python": platform.python_version(), "torch": str(torch.__version__)}
    if torch.cuda.is_available() and torch.version.cuda:
        return found | {"cuda": torch.version.cuda}
    with suppress(PackageNotFoundError):
        found["numba"] = version("numba")
    return found


def autocast(kind: str, precision: str) -> Any:
    """The context in which a forward pass runs at `precision` on a device of `kind`."""
    import torch

    return torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bf16")


def make_repeatable(threads: int) -> None:
    """Set this whole process to `threads` CPU threads and to algorithms that give the same bits every time.

    For worker processes only: these settings are global, and a page server is shared.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # What nobody reads need not be filled, a twentieth of a step. torch makes this module's attributes at run time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False


def finish(kind: str) -> None:
    """Wait until the device has done all that it was told: a GPU works on while Python goes on."""
    if kind == "cuda":
        import torch

        torch.cuda.synchronize()


def give_way() -> None:
    """Let what people wait for, pages above all, have the processor before this process, where the system can."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(NICENESS)
        if os.getsid(0) == os.getpid():  # Linux ranks sessions first, processes within them, where it groups by session
            with suppress(OSError):
                _AUTOGROUP.write_text(str(NICENESS))


def free_memory() -> int:
    """Bytes that are free on the device that trains."""
    if device().kind == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    return free_ram()


def free_ram() -> int:
    """Bytes of main memory that are free: of the machine's, and of what a container or a service may take of them."""
    free = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError, KeyError, StopIteration):  # not Linux, no cgroups of version 2, or no limit
        own = next(line[3:] for line in _OWN_CGROUP.read_text().splitlines() if line.startswith("0::"))
        group = _CGROUPS / own.strip("/")
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        cached = int(stat["inactive_file"])  # counted as taken, given back when it is needed
        taken = int((group / "memory.current").read_text()) - cached
        free = min(free, int((group / "memory.max").read_text()) - taken)
    return max(0, free)


def free_at_once() -> None:
    """Make this process give each large tensor's memory back as soon as it is freed, where its allocator is glibc's.

    Slower, and what makes computing blocks again worth while: kept, freed memory is too scattered to be of use.
    """
    _tell_allocator(_M_MMAP_THRESHOLD, _LARGE)


def keep_memory_together() -> None:
    """Have this process's threads share what they free, where its allocator is glibc's.

    A page server's threads come and go with its visitors, each in an arena of its own, and what one freed between two
    things that stay was of use to no other: after an hour as much lay idle as was in use (docs/performance.md).
    """
    _tell_allocator(_M_ARENA_MAX, _ARENAS)
    _tell_allocator(_M_MMAP_THRESHOLD, _USUAL)  # where it begins; unless told it rises with what is freed


def _tell_allocator(what: int, value: int) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(what, value)


def give_memory_back(kind: str) -> None:
    """Return what a finished training leaves in the allocator's cache to the GPU."""
    if kind == "cuda":
        import torch

        gc.collect()
        torch.cuda.empty_cache()


def usable_cores() -> int:
    """How many this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _processor() -> str:
    lines = [line for line in _cpuinfo().splitlines() if line.startswith("model name")]
    return lines[0].partition(":")[2].strip() if lines else platform.processor() or platform.machine()


def _cpu_has_bf16() -> bool:
    words = set(_cpuinfo().split())
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & words)
