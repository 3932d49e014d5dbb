"""Properties of the machine: usable cores and the cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> Path:
    """Returns DAGGER_CACHE where set, else `dagger-cli` in the system's cache folder.

    Raises RuntimeError where the user has no home.
    """
    if own := os.environ.get("DAGGER_CACHE"):
        return Path(own).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "dagger-cli"
