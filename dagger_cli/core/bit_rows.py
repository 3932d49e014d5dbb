"""Rows whose components are partly 0 or 1: eight of these are stored in a byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dagger_cli.core.compact import Parts
from dagger_cli.core.types import Array

BITS, REST, BINARY = "bits", "rest", "binary"


@dataclass(frozen=True)
class BitForm:
    """`binary` (size,) are the components that are 0 or 1, of rows of whole numbers.

    Parts: `bits` (n, bytes) uint8, and `rest` (n, others) of the rows' type, absent without others.
    """

    shape: tuple[int, ...]
    dtype: str
    binary: tuple[bool, ...]

    @cached_property
    def n_bits(self) -> int:
        """Number of components that are 0 or 1."""
        return sum(self.binary)

    @cached_property
    def _runs(self) -> dict[bool, list[tuple[slice, slice]]]:
        """Returns for both kinds the adjacent components: in a row, and among their kind."""
        mask = np.array(self.binary)
        edges = np.flatnonzero(np.diff(mask, prepend=~mask[:1])).tolist()
        runs: dict[bool, list[tuple[slice, slice]]] = {True: [], False: []}
        filled = {True: 0, False: 0}
        for begin, end in zip(edges, [*edges[1:], len(mask)], strict=True):
            kind = bool(mask[begin])
            at = filled[kind]
            filled[kind] = at + end - begin
            runs[kind].append((slice(begin, end), slice(at, filled[kind])))
        return runs

    def pack(self, rows: Array) -> dict[str, Array] | None:
        """Returns the parts; None where a binary component is neither 0 nor 1."""
        flat = rows.reshape(len(rows), len(self.binary))
        ones = np.empty((len(flat), self.n_bits), flat.dtype)
        for here, there in self._runs[True]:
            ones[:, there] = flat[:, here]
        if not ((ones == 0) | (ones == 1)).all():
            return None
        parts = {BITS: np.packbits(ones.astype(bool, copy=False), axis=1)}
        if self._runs[False]:
            parts[REST] = np.concatenate([flat[:, here] for here, _ in self._runs[False]], axis=1)
        return parts

    def unpack(self, parts: Parts) -> Array:
        """Returns the rows (n, *shape)."""
        ones = np.unpackbits(parts[BITS], axis=1, count=self.n_bits)
        flat = np.empty((len(ones), len(self.binary)), self.dtype)
        for kind, source in ((True, ones), (False, parts.get(REST))):
            for here, there in self._runs[kind]:
                assert source is not None
                flat[:, here] = source[:, there]
        return flat.reshape(len(flat), *self.shape)

    def count(self, parts: Parts) -> int:
        """Returns the number of rows."""
        return len(parts[BITS])

    def take(self, parts: Parts, rows: Any) -> dict[str, Array]:
        """Returns the parts of a subset."""
        return {name: part[rows] for name, part in parts.items()}

    def own(self, parts: Parts) -> dict[str, Array]:
        """Returns the parts: no row needs those of another."""
        return dict(parts)

    def after(self, parts: Parts, filled: Mapping[str, int]) -> dict[str, Array]:
        """Returns the parts: they are the same in every place."""
        return dict(parts)

    def reads(self, parts: Parts, rows: Array) -> Sequence[tuple[Array, Array]]:
        """Returns the parts, each with the rows."""
        return [(part, rows) for part in parts.values()]

    def described(self) -> dict[str, Array]:
        """Returns the mask."""
        return {BINARY: np.array(self.binary)}

    def check(self, parts: Parts) -> None:
        """Raises ValueError where parts are not of this form."""
        n, others = len(parts[BITS]), len(self.binary) - self.n_bits
        wanted = {BITS: ((n, -(-self.n_bits // 8)), np.dtype(np.uint8))}
        if others:
            wanted[REST] = ((n, others), np.dtype(self.dtype))
        if {name: (part.shape, part.dtype) for name, part in parts.items()} != wanted:
            raise ValueError("the parts do not fit their rows")
