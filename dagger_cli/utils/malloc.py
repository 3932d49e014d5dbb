"""Settings of glibc's allocator for large arrays (no effect elsewhere).

glibc raises its mmap threshold, up to 32 MiB, after freeing a large block; later large arrays then
come from the heap and fragment it. Measured: 1.9 bytes of memory per further byte of labels. With a
fixed threshold, freed large arrays return to the system. Fresh pages take time, so code that
allocates the same large arrays repeatedly runs under `reused`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # parameters of mallopt
LARGE = 2**20  # bytes
_MOST = 32 * 2**20  # bytes; the most that mallopt takes, and glibc's own upper limit
_END = 2**17  # bytes; glibc's initial trim threshold

_enabled = False  # the library changes nothing by itself


def use_mmap_for_large() -> None:
    """Gives arrays of `LARGE` bytes or more pages of their own from now on."""
    global _enabled
    _enabled = True
    _set(mmap=LARGE, trim=_END)


@contextmanager
def reused() -> Iterator[None]:
    """Reuses the memory of freed arrays of any size within the block."""
    if not _enabled:
        yield
        return
    _set(mmap=_MOST, trim=2 * _MOST)
    try:
        yield
    finally:
        _set(mmap=LARGE, trim=_END)


def trim_heap() -> None:
    """Returns the heap's free pages to the system."""
    if (function := _libc_function("malloc_trim")) is not None:
        function(0)


def _set(*, mmap: int, trim: int) -> None:
    if (function := _libc_function("mallopt")) is not None:
        function(_MMAP_THRESHOLD, mmap)
        function(_TRIM_THRESHOLD, trim)


@cache
def _libc_function(name: str) -> Any:
    """Returns the function of libc; None on Windows, macOS and musl."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None
