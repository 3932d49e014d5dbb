"""Compilation of the simulator: strict IEEE arithmetic, and a cache keyed by all sources.

Numba keys its cache by the file of the function alone: after an edit of a file that an entry point
calls into, it would keep running the old machine code. This cache is in a folder named by a digest
of all sources concerned, under NUMBA_CACHE_DIR or the package's cache folder, so it also works with
a read-only installation. Where no such folder can be made, every process compiles anew.
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
MARIO = Path(__file__).parents[1]  # folder of all sources of the simulator

# No fastmath: it would reorder float32 operations. "numpy" omits the checks for division by zero.
_OPTIONS = {"error_model": "numpy", "nogil": True, "fastmath": False, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """Compiles a function that is called from compiled code only, as part of its callers."""
    result: F = numba.njit(**_OPTIONS)(function)
    return result


def entry_point(function: F) -> F:
    """Compiles a function that Python calls, and caches its machine code on disk."""
    file = Path(function.__code__.co_filename)
    folder = machine_code(MARIO if MARIO in file.parents else file.parent)
    with _cached_in(folder):
        result: F = numba.njit(cache=folder is not None, **_OPTIONS)(function)
    return result


@cache
def machine_code(sources: Path = MARIO) -> Path | None:
    """Returns the cache folder for exactly these sources; None where it cannot be written to.

    `sources` is the folder of the caller's files, which are hashed with those of this package.
    """
    try:
        given = os.environ.get("NUMBA_CACHE_DIR")
        base = Path(given) / "dagger-cli" if given else cache_folder()
        folder = base / f"mario-{_digest({MARIO, sources})}"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None


def _digest(folders: set[Path]) -> str:
    """Returns 16 hexadecimal digits that identify the sources in the folders and the compiler."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _cached_in(folder: Path | None) -> Iterator[None]:
    """Sets Numba's cache folder, which it reads when a function is decorated."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder or before)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before
