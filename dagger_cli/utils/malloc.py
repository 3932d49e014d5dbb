"""Where large arrays lie: in pages of their own, or in the heap (glibc; nothing elsewhere).

Left alone, glibc puts arrays of up to 32 MiB into the heap once one of their size has been freed.
What a round needs for a moment then lies among small things that are kept, and leaves holes that
the next round's arrays do not fit: a further byte of labels cost 1.9 of memory. In pages of their
own large arrays go back when they are freed. Fresh pages take time, so whoever needs the same large
arrays again and again says so with `reused`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's names for them
LARGE = 2**20  # bytes
_MOST = 32 * 2**20  # that mallopt takes, and glibc comes to by itself
_END = 2**17  # free bytes at the end of the heap from which they go back, glibc's own at its start

_apart = False  # whether this process has asked for it; the library changes nothing by itself


def use_mmap_for_large() -> None:
    """From now on give arrays of `LARGE` bytes pages of their own."""
    global _apart
    _apart = True
    _set(mmap=LARGE, trim=_END)


@contextmanager
def reused() -> Iterator[None]:
    """In the block, take the memory of freed arrays again, however large they are."""
    if not _apart:
        yield
        return
    _set(mmap=_MOST, trim=2 * _MOST)
    try:
        yield
    finally:
        _set(mmap=LARGE, trim=_END)


def trim_heap() -> None:
    """Return the heap's free pages to the system."""
    if (function := _of_libc("malloc_trim")) is not None:
        function(0)


def _set(*, mmap: int, trim: int) -> None:
    if (function := _of_libc("mallopt")) is not None:
        function(_MMAP_THRESHOLD, mmap)
        function(_TRIM_THRESHOLD, trim)


@cache
def _of_libc(name: str) -> Any:
    """None on Windows, macOS and musl."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None
