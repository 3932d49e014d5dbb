"""Free pages of the heap go back to the system."""

import pytest

from dagger_cli.utils import malloc as heap


def resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(heap._libc_function("malloc_trim") is None, reason="this C library cannot")
def test_holes_between_what_is_kept_are_given_back():
    small = 64 * 1024  # bytes, so that glibc takes them from the heap
    arrays = [bytearray(small) for _ in range(1600)]
    for array in arrays:
        array[::4096] = b"x" * 16  # touched
    kept = arrays[::40]
    del arrays
    before = resident()
    heap.trim_heap()
    assert len(kept) == 40
    assert before - resident() > 40 * 2**20
