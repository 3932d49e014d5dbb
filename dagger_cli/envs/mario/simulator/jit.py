"""Compilation of the simulator: strict IEEE arithmetic, and a cache keyed by all sources.

Numba keys its cache by the file of the function alone: after an edit of a file that an entry point
calls into, it would keep running the old machine code.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from dagger_cli.utils.compiled import cache_of, cached_in, numba

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
    with cached_in(folder):
        result: F = numba.njit(cache=folder is not None, **_OPTIONS)(function)
    return result


@cache
def machine_code(sources: Path = MARIO) -> Path | None:
    """Returns the cache folder for exactly these sources; None where it cannot be written to.

    `sources` is the folder of the caller's files, which are hashed with those of this package.
    """
    files = {path for folder in (MARIO, sources) for path in folder.rglob("*.py")}
    return cache_of("mario", tuple(sorted(files)))
