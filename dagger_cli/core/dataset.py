"""Labelled states, kept in arrays that grow in place: adding a round copies that round only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dagger_cli.core.types import Array


class _Buffer:
    """Columns of equal length with room at the end; `filled` rows are in use."""

    def __init__(self, like: tuple[Array, ...], capacity: int) -> None:
        self.columns = tuple(np.empty((capacity, *c.shape[1:]), c.dtype) for c in like)
        self.filled = 0

    @property
    def capacity(self) -> int:
        return len(self.columns[0])

    def append(self, rows: tuple[Array, ...]) -> None:
        end = self.filled + len(rows[0])
        for column, new in zip(self.columns, rows, strict=True):
            column[self.filled : end] = new
        self.filled = end


@dataclass(frozen=True)
class Dataset:
    """N labelled states in the order of collection.

    `obs` (N, *obs_shape) raw; `steps` (N,) int64 env steps already taken in the episode; `labels`
    (N, *action_shape) the expert's answers; `rounds` says how many rows each round brought.
    """

    obs: Array
    steps: Array
    labels: Array
    rounds: tuple[int, ...]
    _buffer: _Buffer | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def columns(self) -> tuple[Array, Array, Array]:
        """Obs, steps and labels, each with N rows."""
        return self.obs, self.steps, self.labels

    def by_round(self) -> Iterator[Dataset]:
        """The rows of each round as a data set of its own (no copies)."""
        begin = 0
        for size in self.rounds:
            rows = slice(begin, begin + size)
            yield Dataset(self.obs[rows], self.steps[rows], self.labels[rows], (size,))
            begin += size


def aggregate(data: Dataset | None, fresh: Dataset, *, capacity: int = 0) -> Dataset:
    """All rows of `data`, then all rows of `fresh`; `capacity` rows are reserved at the first call.

    `data` stays as it was: it is a prefix of the same memory. Only when the room is used up, or
    `data` is not the newest value made from its memory, everything is copied (to twice the size).
    """
    if data is None:
        buffer = _Buffer(fresh.columns, max(capacity, len(fresh)))
        rounds: tuple[int, ...] = ()
    else:
        rounds = data.rounds
        total = len(data) + len(fresh)
        newest = data._buffer is not None and data._buffer.filled == len(data)
        if data._buffer is not None and newest and total <= data._buffer.capacity:
            buffer = data._buffer
        else:
            buffer = _Buffer(data.columns, max(2 * len(data), total, capacity))
            buffer.append(data.columns)
    buffer.append(fresh.columns)
    obs, steps, labels = (column[: buffer.filled] for column in buffer.columns)
    return Dataset(obs, steps, labels, (*rounds, *fresh.rounds), buffer)
