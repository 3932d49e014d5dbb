"""Rows of observations in less memory than an array takes, and the same bit for bit when read.

A data set keeps its observations as `Stored`: an array, or `CompactRows`. Both are selected from by
`rows[...]`, which decodes nothing, and read by `np.asarray(rows)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol, TypeVar

import numpy as np

from dagger_cli.core.types import Array

Parts = Mapping[str, Array]  # what stands for the rows, by name
PREFIX = "obs."


class Form(Protocol):
    """How rows of one `shape` and `dtype` are stored, as `Parts` of the form's own names."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        ...

    @property
    def dtype(self) -> str:
        """Type of the rows."""
        ...

    def pack(self, rows: Array) -> dict[str, Array] | None:
        """Returns the parts of rows (n, *shape); None where they cannot be stored in this form."""
        ...

    def unpack(self, parts: Parts) -> Array:
        """Inverts `pack`, bit for bit."""
        ...

    def count(self, parts: Parts) -> int:
        """Returns the number of rows."""
        ...

    def take(self, parts: Parts, rows: Any) -> dict[str, Array]:
        """Returns the parts of a subset; `rows` is a slice (no copy), a mask or an index array."""
        ...

    def own(self, parts: Parts) -> dict[str, Array]:
        """Returns the parts of adjacent rows without what only other rows need."""
        ...

    def after(self, parts: Parts, filled: Mapping[str, int]) -> dict[str, Array]:
        """Returns what `own` returned, changed to be appended to parts of these lengths."""
        ...

    def reads(self, parts: Parts, rows: Array) -> Sequence[tuple[Array, Array]]:
        """Returns the arrays that `rows` (n,) are read from, each with the rows of the array."""
        ...

    def described(self) -> dict[str, Array]:
        """Returns the form as arrays, for `row_forms.rows_in`."""
        ...


@dataclass(frozen=True)
class CompactRows:
    """N rows in a form."""

    form: Form
    parts: Parts

    def __len__(self) -> int:
        return self.form.count(self.parts)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the rows as an array."""
        return (len(self), *self.form.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the rows as an array."""
        return np.dtype(self.form.dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of the parts."""
        return sum(part.nbytes for part in self.parts.values())

    def __getitem__(self, rows: Any) -> CompactRows:
        """Returns a subset; `rows` is a slice (no copy), a mask or an index array."""
        return CompactRows(self.form, self.form.take(self.parts, rows))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Decodes the rows, (N, *shape)."""
        rows = self.form.unpack(self.parts)
        return rows if dtype is None else rows.astype(dtype, copy=False)

    @property
    def columns(self) -> dict[str, Array]:
        """The parts of adjacent rows, with their names among other columns."""
        return as_columns(self.form.own(self.parts))


Stored = Array | CompactRows
T = TypeVar("T")


def as_columns(parts: Mapping[str, T]) -> dict[str, T]:
    """Returns parts with their names among other columns, and in files."""
    return {PREFIX + name: part for name, part in parts.items()}


def parts_in(columns: Mapping[str, T]) -> dict[str, T]:
    """Inverts `as_columns`; other columns are left out."""
    n = len(PREFIX)
    return {name[n:]: part for name, part in columns.items() if name.startswith(PREFIX)}


def packed(rows: Array, form: Form) -> CompactRows | None:
    """Returns the rows in a form, None where it cannot store them."""
    parts = form.pack(rows)
    return None if parts is None else CompactRows(form, parts)


def row_bytes(rows: Stored) -> int:
    """Returns the bytes of one row as an array."""
    return prod(rows.shape[1:]) * rows.dtype.itemsize
