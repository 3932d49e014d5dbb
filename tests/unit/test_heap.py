"""Freed large arrays are returned to the system, or reused inside `reused`."""

import subprocess
import sys

import pytest

from dagger_cli.utils import malloc as heap

# In a process of its own, for the setting stays. 30 large arrays are made and freed, in holes
# between small ones that are kept; printed are the MiB that freeing them gave back.
SCRIPT = """
import ctypes, os, sys
from contextlib import nullcontext
from dagger_cli.utils.malloc import use_mmap_for_large, reused

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

if sys.argv[1] != "never":
    use_mmap_for_large()
with reused() if sys.argv[1] == "reused" else nullcontext():
    libc.free(libc.malloc(3 * 2**20))  # from now on glibc would put such arrays into the heap
    large = []
    for _ in range(30):
        large.append(libc.malloc(2**21))
        libc.memset(large[-1], 1, 2**21)
        libc.malloc(2**12)
    before = resident()
    for array in large:
        libc.free(array)
    print(before - resident())
"""


def given_back(mode: str) -> float:
    """MiB, of 60."""
    words = [sys.executable, "-c", SCRIPT, mode]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(heap._libc_function("mallopt") is None, reason="this C library cannot be told")
def test_large_arrays_go_back_at_once_unless_they_are_to_be_taken_again():
    assert given_back("apart") > 55
    assert given_back("reused") < 5
    assert given_back("never") < 5  # or there would be nothing to ask for


def test_nothing_happens_where_the_library_cannot(monkeypatch):
    monkeypatch.setattr(heap, "_libc_function", lambda name: None)
    monkeypatch.setattr(heap, "_enabled", False)
    heap.use_mmap_for_large()
    with heap.reused():
        heap.trim_heap()
