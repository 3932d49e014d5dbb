"""Progress within a round: learners report how far a fit is, the console shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 16  # batches between reports, so that they cost nothing beside small batches

_watchers: list[Callable[[float], None]] = []


def fitted(batches: int, total: int) -> None:
    """Reports that a fit has seen `batches` of `total` batches."""
    if _watchers and batches % EVERY == 0:
        for watch in _watchers:
            watch(batches / total)


@contextmanager
def watched(watch: Callable[[float], None]) -> Iterator[None]:
    """Calls `watch` with the finished share of each fit, in [0, 1), while the block runs."""
    _watchers.append(watch)
    try:
        yield
    finally:
        _watchers.remove(watch)
