"""The data set of labelled states, in arrays that grow in place: a round copies only itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.compact import CompactRows, Form, Stored, packed, parts_in
from dagger_cli.core.growing import Allocate, Buffer, Columns
from dagger_cli.core.past import observation_of
from dagger_cli.core.types import Array, Observation

COLUMNS = ("obs", "steps", "labels", "weights", "fatal")  # of a `Dataset`; the last two optional
WORTH = 0.75  # of the bytes of an array: what takes more is kept as one


@dataclass(frozen=True)
class Dataset:
    """N labelled states in the order of collection.

    `stored` (N, *obs_shape) are the raw observations, an array or compact rows: select with
    `stored[rows]`, then read with `np.asarray`; `obs` is all of them as an array. `steps` (N,)
    int64 env steps already taken in the episode; `labels` (N, *action_shape) the expert's actions,
    or the cheapest action where costs were estimated; `rounds` the number of rows of each round;
    `weights` (N,) float32 the cost of a mistake in each row, None where all are equal; `fatal`
    (N, K) bool the unsafe ones of the K actions (`all_actions`), which lose the episode, None where
    they were not queried. `played` is how the rows of the last round came about
    (`loop/rollout.py`), for the run's folder: no learner reads it, and neither subsets nor
    aggregates have that of earlier rounds.
    """

    stored: Stored
    steps: Array
    labels: Array
    rounds: tuple[int, ...]
    weights: Array | None = None
    fatal: Array | None = None
    played: Columns | None = None
    _buffer: Buffer | None = None

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def obs(self) -> Array:
        """The observations as an array, (N, *obs_shape); compact rows are all decoded for it."""
        return np.asarray(self.stored)

    @property
    def observation(self) -> Observation:
        """The rows as a student observes them; compact ones are all decoded for it."""
        return observation_of(self.stored, self.steps)

    @property
    def beside(self) -> dict[str, Array]:
        """The columns that are present beside the observations, each with N rows."""
        columns = {name: getattr(self, name) for name in COLUMNS[1:]}
        return {name: column for name, column in columns.items() if column is not None}

    @property
    def columns(self) -> dict[str, Array]:
        """The columns that are present, each with N rows; compact rows are decoded for it."""
        return {"obs": self.obs, **self.beside}

    def __getitem__(self, rows: Any) -> Dataset:
        """Returns a subset as one round; `rows` is a slice (no copy), a mask or an index array."""
        columns = {name: column[rows] for name, column in self.beside.items()}
        return Dataset(self.stored[rows], **columns, rounds=(len(columns["steps"]),))

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
    data: Dataset | None,
    fresh: Dataset,
    *,
    capacity: int = 0,
    allocate: Allocate = np.empty,
    form: Form | None = None,
) -> Dataset:
    """Returns the rows of `data` followed by those of `fresh`.

    The first call reserves `capacity` rows; `allocate` provides the memory (utils/memmap.py).
    `data` remains valid: it is a prefix of the same memory. Everything is copied, to twice the
    size, only where the capacity is exceeded or `data` is not the latest aggregate in its memory.

    The first call also decides whether observations are stored in `form`: where that saves a
    quarter of their memory. They are decoded to an array as soon as a row has no place in it.
    """
    data, fresh = _in_one_form(data, fresh, form)
    rows, total = _columns(fresh), len(fresh) if data is None else len(data) + len(fresh)
    room = capacity if total <= capacity else max(total, 2 * (total - len(fresh)))
    if data is None:
        buffer = Buffer([rows], _form_of(fresh), room, allocate)
    elif data._buffer is not None and data._buffer.ends_with(len(data)) and data._buffer.fits(rows):
        buffer = data._buffer
        buffer.append(rows)
    else:
        buffer = Buffer([_columns(data), rows], _form_of(fresh), room, allocate)
    rounds = fresh.rounds if data is None else (*data.rounds, *fresh.rounds)
    columns, form = buffer.columns, buffer.form
    stored = columns["obs"] if form is None else CompactRows(form, parts_in(columns))
    beside = {name: columns[name] for name in COLUMNS[1:] if name in columns}
    return Dataset(stored, **beside, rounds=rounds, played=fresh.played, _buffer=buffer)


def _columns(data: Dataset) -> dict[str, Array]:
    """Returns the columns as they are stored."""
    stored = data.stored
    rows = stored.columns if isinstance(stored, CompactRows) else {"obs": stored}
    return {**rows, **data.beside}


def _form_of(data: Dataset) -> Form | None:
    return data.stored.form if isinstance(data.stored, CompactRows) else None


def _in_one_form(
    data: Dataset | None, fresh: Dataset, form: Form | None
) -> tuple[Dataset | None, Dataset]:
    """Returns both with observations of one form, or as arrays."""
    wanted = form if data is None else _form_of(data)
    if wanted is not None and _form_of(fresh) is None:
        rows = packed(fresh.obs, wanted)
        if rows is not None and (data is not None or rows.nbytes < WORTH * fresh.obs.nbytes):
            fresh = replace(fresh, stored=rows)
    if data is None or _form_of(data) == _form_of(fresh):
        return data, fresh
    return _as_array(data), _as_array(fresh)


def _as_array(data: Dataset) -> Dataset:
    if _form_of(data) is None:
        return data
    return replace(data, stored=data.obs, _buffer=None)
