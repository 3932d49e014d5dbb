"""Labelled states, kept in arrays that grow in place: adding a round copies that round only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array

Allocate = Callable[[tuple[int, ...], np.dtype[Any]], Array]  # an array of this shape, any content


class _Buffer:
    """Columns of equal length with room at the end; `filled` rows are in use."""

    def __init__(self, like: tuple[Array, ...], capacity: int, allocate: Allocate) -> None:
        self.columns = tuple(allocate((capacity, *c.shape[1:]), c.dtype) for c in like)
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
    (N, *action_shape) the expert's answers, or the action that cost least where costs were tried;
    `rounds` says how many rows each round brought; `weights` (N,) float32 is what a mistake in a
    row costs, None where all cost the same.
    """

    obs: Array
    steps: Array
    labels: Array
    rounds: tuple[int, ...]
    weights: Array | None = None
    _buffer: _Buffer | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def columns(self) -> tuple[Array, ...]:
        """Obs, steps, labels and, where there are any, weights, each with N rows."""
        rows = (self.obs, self.steps, self.labels)
        return rows if self.weights is None else (*rows, self.weights)

    def __getitem__(self, rows: Any) -> Dataset:
        """Some of the rows as one round; `rows` is a slice (no copy), a mask or an index array."""
        columns = [column[rows] for column in self.columns]
        return _data(columns, (len(columns[0]),))

    def by_round(self) -> Iterator[Dataset]:
        """The rows of each round as a data set of its own (no copies)."""
        begin = 0
        for size in self.rounds:
            yield self[begin : begin + size]
            begin += size

    def thinned(self, most: int) -> Dataset:
        """At most so many rows, evenly spaced; all of them where there are no more (no copies)."""
        return self[:: -(-len(self) // most) or 1]

    @property
    def newest(self) -> Dataset:
        """The rows of the last round (no copies)."""
        return self[len(self) - self.rounds[-1] :]


def resampled(data: Dataset, rng: Generator) -> Dataset:
    """As many rows drawn in proportion to their weights; the data itself where it has none.

    This is how any learner is made to mind costs (Zadrozny, Langford & Abe 2003: an importance
    weight is a sampling rate). Where all mistakes cost the same, nothing is drawn.
    """
    if data.weights is None or np.ptp(data.weights) == 0:
        return data
    shares = data.weights.astype(np.float64)
    rows = rng.choice(len(data), size=len(data), p=shares / shares.sum())
    return Dataset(data.obs[rows], data.steps[rows], data.labels[rows], (len(data),))


def aggregate(
    data: Dataset | None, fresh: Dataset, *, capacity: int = 0, allocate: Allocate = np.empty
) -> Dataset:
    """All rows of `data`, then all rows of `fresh`; `capacity` rows are reserved at the first call.

    `allocate` gives the memory they lie in, see core/storage.py.

    `data` stays as it was: it is a prefix of the same memory. Only when the room is used up, or
    `data` is not the newest value made from its memory, everything is copied (to twice the size).
    """
    if data is None:
        buffer = _Buffer(fresh.columns, max(capacity, len(fresh)), allocate)
        rounds: tuple[int, ...] = ()
    else:
        rounds = data.rounds
        total = len(data) + len(fresh)
        newest = data._buffer is not None and data._buffer.filled == len(data)
        if data._buffer is not None and newest and total <= data._buffer.capacity:
            buffer = data._buffer
        else:
            buffer = _Buffer(data.columns, max(2 * len(data), total, capacity), allocate)
            buffer.append(data.columns)
    buffer.append(fresh.columns)
    columns = [column[: buffer.filled] for column in buffer.columns]
    return _data(columns, (*rounds, *fresh.rounds), buffer)


def _data(
    columns: Sequence[Array], rounds: tuple[int, ...], buffer: _Buffer | None = None
) -> Dataset:
    obs, steps, labels, *weights = columns
    return Dataset(obs, steps, labels, rounds, weights[0] if weights else None, buffer)
