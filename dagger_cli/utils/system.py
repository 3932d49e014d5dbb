"""Properties of the machine: usable cores, home and the cache folder."""

from __future__ import annotations

import os
from pathlib import Path


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def at_home(path: str | Path) -> Path:
    """Returns the path with `~` expanded; one of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))


def cache_folder() -> Path:
    """Returns DAGGER_CACHE where set, else `dagger-cli` in the system's cache folder.

    Raises RuntimeError where the user has no home.
    """
    if own := os.environ.get("DAGGER_CACHE"):
        return at_home(own)
    from platformdirs import user_cache_path

    folder = user_cache_path("dagger-cli", appauthor=False, opinion=False)
    if not folder.is_absolute():
        raise RuntimeError("the user has no home folder: set DAGGER_CACHE")
    return folder
