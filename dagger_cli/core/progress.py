"""Progress within a round: of fits and of labels by workers; the console shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 16  # batches between reports, so that they cost nothing beside small batches

Watch = Callable[[float, str], None]

_watchers: list[Watch] = []


def fitted(batches: int, total: int) -> None:
    """Reports that a fit has seen `batches` of `total` batches."""
    if _watchers and batches % EVERY == 0:
        for watch in _watchers:
            watch(batches / total, "fit")


def labelled(pieces: int, total: int) -> None:
    """Reports that workers have labelled `pieces` of `total` pieces of a batch."""
    for watch in _watchers:
        watch(pieces / total, "labels")


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Calls `watch` with the finished share of each fit or batch of labels, and which it is."""
    _watchers.append(watch)
    try:
        yield
    finally:
        _watchers.remove(watch)
