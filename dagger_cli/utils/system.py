"""Properties of the machine: usable cores, home and the cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_limit: int | None = None  # of cores, see `use_cores`


def use_cores(n: int) -> None:
    """Limits what `usable_cores` returns in this process, which shares its machine with others."""
    global _limit
    _limit = n


def limit_threads(n: int) -> None:
    """Limits the threads of torch and other libraries, unless OMP_NUM_THREADS gives a number."""
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ["OMP_NUM_THREADS"] = str(n)  # for libraries that are loaded later
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(n)


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    return machine_cores() if _limit is None else _limit


def machine_cores() -> int:
    """Returns the number of cores that the system lets this process use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def at_home(path: str | Path) -> Path:
    """Returns the path with `~` expanded; one of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))


def safe_environ() -> dict[str, str]:
    """Returns the environment for `python -m`, which else imports files of the current folder.

    Python 3.10 does not know the variable.
    """
    return {**os.environ, "PYTHONSAFEPATH": "1"}


def one_torch_thread() -> None:
    """Limits torch, where it is loaded, to one thread, unless OMP_NUM_THREADS gives a number.

    More threads take longer for the small networks of experts, as for `policy.threads=1`.
    """
    torch = sys.modules.get("torch")
    if torch is not None and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)


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
