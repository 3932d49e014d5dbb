"""How the simulator is compiled: strict IEEE arithmetic, and a cache that cannot be stale.

Numba keys its own cache by the file of the function alone: after an edit of a file that an entry
point calls into, it would go on running the old machine code. Ours lies in a folder named by a
digest of all sources concerned, under NUMBA_CACHE_DIR or our own cache folder, so it is
also the same for an installation nobody may write to. Where no such folder can be made, everything
works and is compiled anew in every process.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

from dagger_cli.utils.system import cache_folder

F = TypeVar("F", bound=Callable[..., Any])
MARIO = Path(__file__).parents[1]  # all sources of the simulator

# No fastmath: it would reorder float32 operations. `numpy` drops the checks for division by zero.
_OPTIONS = {"error_model": "numpy", "nogil": True, "fastmath": False, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """Compile a function that only compiled code calls; its machine code is in its callers'."""
    result: F = numba.njit(**_OPTIONS)(function)
    return result


def entry_point(function: F) -> F:
    """Compile a function that Python calls, and keep its machine code on the disk."""
    file = Path(function.__code__.co_filename)
    folder = machine_code(MARIO if MARIO in file.parents else file.parent)
    with _cached_in(folder):
        result: F = numba.njit(cache=folder is not None, **_OPTIONS)(function)
    return result


@cache
def machine_code(sources: Path = MARIO) -> Path | None:
    """Where machine code of exactly these sources is kept; None where no file can be written.

    `sources` is the folder of the caller's own files, which count besides those of this package.
    """
    try:
        given = os.environ.get("NUMBA_CACHE_DIR")
        base = Path(given) / "dagger-cli" if given else cache_folder()
        folder = base / f"mario-{_digest({MARIO, sources})}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # the latter: there is no home
        return None


def _digest(folders: set[Path]) -> str:
    """Sixteen hexadecimal digits that name the sources in these folders and the compiler."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _cached_in(folder: Path | None) -> Iterator[None]:
    """Numba reads its cache folder when a function is decorated."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder or before)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
