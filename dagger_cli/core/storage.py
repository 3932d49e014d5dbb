"""Where the aggregate lies: in memory, or in files that the system pages in and out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.dataset import Allocate
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array

STORAGES = ("memory", "disk")


def allocator(storage: str, folder: Path) -> Allocate:
    """`memory`, or `disk`: files in `folder`, gone with the process; raises ConfigError for others.

    The room is taken when it is asked for, so a full disk is a sentence then and not a crash later.
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
