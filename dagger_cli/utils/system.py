"""What this machine has for us: cores, and a folder that outlives a run."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> Path:
    """DAGGER_CACHE where it is set, else `dagger-cli` where the system keeps caches.

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
