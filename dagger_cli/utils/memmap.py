"""Storage of the aggregate: in memory, or in memory-mapped files.

The system reads megabytes around each row, which suits sequential access. With an aggregate larger
than memory, random rows would evict each other, at some 4 ms each; `at_random` disables this
read-ahead and `will_need` prefetches the next rows.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.compact import CompactRows, Stored
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.growing import Allocate
from dagger_cli.core.types import Array

STORAGES = ("memory", "disk")


def allocator(storage: str, folder: Path) -> Allocate:
    """Returns the allocator for `memory` or `disk`; raises ConfigError for other names.

    The files lie in `folder` and are deleted with the process. Their space is reserved at
    allocation, so a full disk raises ConfigError there and does not crash later.
    """
    if storage not in STORAGES:
        raise ConfigError(f"aggregate.storage must be memory or disk, got '{storage}'")
    if storage == "memory":
        return np.empty

    def on_disk(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        n_bytes = max(1, int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
        try:
            with tempfile.TemporaryFile(prefix=".aggregate-", dir=folder) as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, n_bytes)
                else:
                    file.truncate(n_bytes)
                return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
        except OSError as err:
            raise ConfigError(
                f"aggregate.storage=disk: no room for {n_bytes / 1e6:,.0f} MB in {folder} "
                f"({err.strerror}); take fewer labels or another disk (hydra.run.dir=...)"
            ) from err

    return on_disk


@contextmanager
def at_random(rows: Stored) -> Iterator[None]:
    """Disables read-ahead within the block for rows that may be memory-mapped."""
    arrays = rows.parts.values() if isinstance(rows, CompactRows) else [rows]
    files = [file for array in arrays if (file := _file_of(array)) is not None]
    for file in files:
        file.madvise(mmap.MADV_RANDOM)
    try:
        yield
    finally:
        for file in files:
            file.madvise(mmap.MADV_NORMAL)


def will_need(stored: Stored, rows: Array) -> None:
    """Prefetches some rows (n,) that may be memory-mapped; does not wait."""
    if not isinstance(stored, CompactRows):
        _prefetch(stored, rows)
        return
    if any(_file_of(array) is not None for array in stored.parts.values()):
        for array, here in stored.form.reads(stored.parts, rows):
            _prefetch(array, here)


def _prefetch(array: Array, rows: Array) -> None:
    file = _file_of(array)
    if file is None:
        return
    begin = array.ctypes.data - _address(file) + rows * array.strides[0]
    end = begin + array[:1].nbytes
    pages, first = np.unique(begin // mmap.PAGESIZE, return_index=True)
    begin = pages * mmap.PAGESIZE
    for start, length in zip(begin.tolist(), (end[first] - begin).tolist(), strict=True):
        file.madvise(mmap.MADV_WILLNEED, start, length)


def _address(file: mmap.mmap) -> int:
    return int(np.frombuffer(file, np.uint8, 1).ctypes.data)


def _file_of(array: Array) -> mmap.mmap | None:
    """Returns the mapped file of an array; None in memory or where madvise is missing."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) and hasattr(base, "madvise") else None
