"""Columns that grow in place, with room reserved for those of a whole run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

from dagger_cli.core.compact import Form, as_columns, parts_in
from dagger_cli.core.types import Array

Columns = Mapping[str, Array]
Allocate = Callable[[tuple[int, ...], np.dtype[Any]], Array]  # returns an uninitialized array

SPARE = 17 / 16  # of the room for columns that are not as long as the rows are many


class Buffer:
    """Columns with spare capacity; the first `filled` rows of each are in use.

    `form` is that of compact observations, whose columns begin with `compact.PREFIX`.
    """

    def __init__(
        self, given: Sequence[Columns], form: Form | None, capacity: int, allocate: Allocate
    ) -> None:
        """Holds all that is given, with room for `capacity` rows."""
        self.form, self.filled = form, dict.fromkeys(given[0], 0)
        self._columns = {}
        needed = {name: sum(len(columns[name]) for columns in given) for name in given[0]}
        n = needed["steps"]
        for name, like in given[0].items():
            share = needed[name] / max(1, n)
            room = capacity if share == 1 else ceil(share * capacity * SPARE)
            shape = (max(room, needed[name]), *like.shape[1:])
            self._columns[name] = allocate(shape, like.dtype)
        for columns in given:
            self.append(columns)

    def fits(self, rows: Columns) -> bool:
        """Returns whether there is room for further rows."""
        ends = {name: self.filled[name] + len(column) for name, column in rows.items()}
        return all(end <= len(self._columns[name]) for name, end in ends.items())

    def append(self, rows: Columns) -> None:
        """Writes rows behind those in use."""
        if self.form is not None:
            moved = self.form.after(parts_in(rows), parts_in(self.filled))
            rows = {**rows, **as_columns(moved)}
        for name in self._columns.keys() | rows.keys():  # differing sets of columns: KeyError
            begin, end = self.filled[name], self.filled[name] + len(rows[name])
            self._columns[name][begin:end] = rows[name]
            self.filled[name] = end

    def ends_with(self, n: int) -> bool:
        """Returns whether the first `n` rows are all that are in use."""
        return self.filled["steps"] == n

    @property
    def columns(self) -> dict[str, Array]:
        """The rows in use."""
        return {name: column[: self.filled[name]] for name, column in self._columns.items()}
