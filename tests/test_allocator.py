"""How a process's memory is kept: that of a server, where many threads come and go."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

# Twelve threads at once ask glibc for memory; it says itself how many arenas they got
_ARENAS = """
import ctypes, sys, threading
from explorer import device
if sys.argv[1] == "together":
    device.keep_memory_together()
libc = ctypes.CDLL("libc.so.6")
libc.fopen.restype, libc.malloc.restype = ctypes.c_void_p, ctypes.c_void_p
libc.fclose.argtypes, libc.malloc_info.argtypes = [ctypes.c_void_p], [ctypes.c_int, ctypes.c_void_p]
all_there = threading.Barrier(12)
def ask():
    libc.malloc(5000)
    all_there.wait()
threads = [threading.Thread(target=ask) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
told = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, told)
libc.fclose(told)
"""


def _arenas(how: str, folder: Path) -> int:
    subprocess.run([sys.executable, "-c", _ARENAS, how, str(folder / how)], check=True)
    return (folder / how).read_text().count("<heap nr=")


def test_threads_of_a_server_share_what_they_free(tmp_path: Path) -> None:
    try:
        assert ctypes.CDLL("libc.so.6").malloc_info
    except (OSError, AttributeError):
        pytest.skip("no glibc")
    assert _arenas("together", tmp_path) <= 2
    assert _arenas("apart", tmp_path) > 2
