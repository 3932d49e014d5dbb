"""What a round no longer needs goes back to the system."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from dagger_cli.core.loop import Round


def give_back(finished: Round) -> None:
    """An observer of rounds: return the heap's free pages, where the C library can (glibc).

    A round's large temporary arrays leave holes between small things that are kept. Without this a
    byte of aggregate cost two of memory, with it rather less.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # Windows, macOS, musl
        return None
