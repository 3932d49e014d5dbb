"""Labelled states, kept in arrays that grow in place: adding a round copies that round only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array

Columns = Mapping[str, Array]  # one row a state
Allocate = Callable[[tuple[int, ...], np.dtype[Any]], Array]  # an array of this shape, any content


COLUMNS = ("obs", "steps", "labels", "weights", "fatal")  # of a `Dataset`; the last two may lack


class _Buffer:
    """Columns of equal length with room at the end; `filled` rows are in use."""

    def __init__(self, like: Columns, capacity: int, allocate: Allocate) -> None:
        self.columns = {n: allocate((capacity, *c.shape[1:]), c.dtype) for n, c in like.items()}
        self.filled = 0

    @property
    def capacity(self) -> int:
        return len(self.columns["steps"])

    def append(self, rows: Columns) -> None:
        end = self.filled + len(rows["steps"])
        for name in self.columns.keys() | rows.keys():  # both have the same, or a KeyError says so
            self.columns[name][self.filled : end] = rows[name]
        self.filled = end


@dataclass(frozen=True)
class Dataset:
    """N labelled states in the order of collection.

    `obs` (N, *obs_shape) raw; `steps` (N,) int64 env steps already taken in the episode; `labels`
    (N, *action_shape) the expert's answers, or the action that cost least where costs were tried;
    `rounds` says how many rows each round brought; `weights` (N,) float32 is what a mistake in a
    row costs, None where all cost the same; `fatal` (N, K) bool marks those of the K actions
    (`all_actions`) that lose the episode, None where nobody was asked which they are.
    """

    obs: Array
    steps: Array
    labels: Array
    rounds: tuple[int, ...]
    weights: Array | None = None
    fatal: Array | None = None
    _buffer: _Buffer | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def columns(self) -> dict[str, Array]:
        """What there is of `COLUMNS`, each with N rows."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        return {name: column for name, column in columns.items() if column is not None}

    def __getitem__(self, rows: Any) -> Dataset:
        """Some of the rows as one round; `rows` is a slice (no copy), a mask or an index array."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Dataset(**columns, rounds=(len(columns["steps"]),))

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
    return replace(data[rows], weights=None)


def aggregate(
    data: Dataset | None, fresh: Dataset, *, capacity: int = 0, allocate: Allocate = np.empty
) -> Dataset:
    """All rows of `data`, then all rows of `fresh`; `capacity` rows are reserved at the first call.

    `allocate` gives the memory they lie in, see utils/memmap.py.

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
    columns = {name: column[: buffer.filled] for name, column in buffer.columns.items()}
    return Dataset(**columns, rounds=(*rounds, *fresh.rounds), _buffer=buffer)
