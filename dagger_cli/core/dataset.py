"""The data set of labelled states, in arrays that grow in place: a round copies only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array

Columns = Mapping[str, Array]  # equal numbers of rows, one per state
Allocate = Callable[[tuple[int, ...], np.dtype[Any]], Array]  # returns an uninitialized array


COLUMNS = ("obs", "steps", "labels", "weights", "fatal")  # of a `Dataset`; the last two optional


class _Buffer:
    """Columns of equal length with spare capacity; the first `filled` rows are in use."""

    def __init__(self, like: Columns, capacity: int, allocate: Allocate) -> None:
        self.columns = {n: allocate((capacity, *c.shape[1:]), c.dtype) for n, c in like.items()}
        self.filled = 0

    @property
    def capacity(self) -> int:
        return len(self.columns["steps"])

    def append(self, rows: Columns) -> None:
        end = self.filled + len(rows["steps"])
        for name in self.columns.keys() | rows.keys():  # differing sets of columns: KeyError
            self.columns[name][self.filled : end] = rows[name]
        self.filled = end


@dataclass(frozen=True)
class Dataset:
    """N labelled states in the order of collection.

    `obs` (N, *obs_shape) are raw; `steps` (N,) int64 env steps already taken in the episode;
    `labels` (N, *action_shape) the expert's actions, or the cheapest action where costs were
    estimated; `rounds` the number of rows of each round; `weights` (N,) float32 the cost of a
    mistake in each row, None where all are equal; `fatal` (N, K) bool the unsafe ones of the K
    actions (`all_actions`), which lose the episode, None where they were not queried. `played`
    is how the rows of the last round came about (`loop/rollout.py`), for the run's folder: no
    learner reads it, and neither subsets nor aggregates have that of earlier rounds.
    """

    obs: Array
    steps: Array
    labels: Array
    rounds: tuple[int, ...]
    weights: Array | None = None
    fatal: Array | None = None
    played: Columns | None = None
    _buffer: _Buffer | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def columns(self) -> dict[str, Array]:
        """The columns that are present, each with N rows."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        return {name: column for name, column in columns.items() if column is not None}

    def __getitem__(self, rows: Any) -> Dataset:
        """Returns a subset as one round; `rows` is a slice (no copy), a mask or an index array."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Dataset(**columns, rounds=(len(columns["steps"]),))

    def by_round(self) -> Iterator[Dataset]:
        """Yields the rows of each round as a data set of its own (no copies)."""
        begin = 0
        for size in self.rounds:
            yield self[begin : begin + size]
            begin += size

    def thinned(self, most: int) -> Dataset:
        """Returns at most `most` rows, evenly spaced (no copies)."""
        return self[:: -(-len(self) // most) or 1]

    @property
    def newest(self) -> Dataset:
        """The rows of the last round (no copies)."""
        return self[len(self) - self.rounds[-1] :]


def resampled(data: Dataset, rng: Generator) -> Dataset:
    """Returns as many rows, drawn in proportion to their weights.

    Makes any learner cost-sensitive (Zadrozny, Langford & Abe 2003: an importance weight is a
    sampling rate). Without weights, or with equal ones, returns `data` and draws nothing.
    """
    if data.weights is None or np.ptp(data.weights) == 0:
        return data
    shares = data.weights.astype(np.float64)
    rows = rng.choice(len(data), size=len(data), p=shares / shares.sum())
    return replace(data[rows], weights=None)


def aggregate(
    data: Dataset | None, fresh: Dataset, *, capacity: int = 0, allocate: Allocate = np.empty
) -> Dataset:
    """Returns the rows of `data` followed by those of `fresh`.

    The first call reserves `capacity` rows; `allocate` provides the memory (utils/memmap.py).
    `data` remains valid: it is a prefix of the same memory. Everything is copied, to twice the
    size, only where the capacity is exceeded or `data` is not the latest aggregate in its memory.
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
    columns = {name: column[: buffer.filled] for name, column in buffer.columns.items()}
    return Dataset(**columns, rounds=(*rounds, *fresh.rounds), played=fresh.played, _buffer=buffer)
