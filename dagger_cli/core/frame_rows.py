"""Rows that are stacks of frames: each frame is stored once, with its number in every row.

A stack of the last k images shares all but one with the stack before it. Frames are compared by
their bytes, so nothing depends on where episodes start, or on which rows are labelled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.compact import Parts
from dagger_cli.core.types import Array

INDEX, FRAMES, TAIL, SPLIT = "index", "frames", "tail", "split"


class Split(NamedTuple):
    """How a flat row is cut: `lines` lines, in each `stack` frames have `width` numbers in turn.

    Images with the channels first, and stacks of flat observations, are one line; images with the
    channels last have a line for each pixel. Numbers that follow belong to no frame.
    """

    lines: int
    stack: int
    width: int

    @property
    def frame_size(self) -> int:
        """Numbers of a frame."""
        return self.lines * self.width

    @property
    def size(self) -> int:
        """Numbers of all frames."""
        return self.stack * self.frame_size


@dataclass(frozen=True)
class FrameForm:
    """Parts: `index` (n, stack) int32 of rows of `frames` (m, frame_size), and `tail` (n, others).

    `tail` is absent where frames are all of a row.
    """

    shape: tuple[int, ...]
    dtype: str
    split: Split

    def pack(self, rows: Array) -> dict[str, Array]:
        """Returns the parts, each different frame once."""
        n, split = len(rows), self.split
        flat = rows.reshape(n, prod(self.shape))
        lines = flat[:, : split.size].reshape(n, split.lines, split.stack, split.width)
        by_frame = np.ascontiguousarray(np.moveaxis(lines, 2, 1))
        frames = by_frame.reshape(n * split.stack, split.frame_size)
        number, first = _distinct(frames)
        parts = {INDEX: number.reshape(n, split.stack), FRAMES: frames[first]}
        if split.size < flat.shape[1]:
            parts[TAIL] = flat[:, split.size :].copy()
        return parts

    def unpack(self, parts: Parts) -> Array:
        """Returns the rows (n, *shape)."""
        split, index, n = self.split, parts[INDEX], self.count(parts)
        found = parts[FRAMES][index]
        if split.lines > 1:
            lines = found.reshape(n, split.stack, split.lines, split.width)
            found = np.ascontiguousarray(np.moveaxis(lines, 1, 2))
        flat = found.reshape(n, split.size)
        if TAIL in parts:
            flat = np.concatenate([flat, parts[TAIL]], axis=1)
        return np.asarray(flat.reshape(n, *self.shape))

    def count(self, parts: Parts) -> int:
        """Returns the number of rows."""
        return len(parts[INDEX])

    def take(self, parts: Parts, rows: Any) -> dict[str, Array]:
        """Returns the parts of a subset, with all frames."""
        return {name: part if name == FRAMES else part[rows] for name, part in parts.items()}

    def own(self, parts: Parts) -> dict[str, Array]:
        """Returns the parts with the range of frames that the rows have, numbered from 0."""
        index = parts[INDEX]
        first, last = (int(index.min()), int(index.max())) if index.size else (0, -1)
        return {**parts, INDEX: index - first, FRAMES: parts[FRAMES][first : last + 1]}

    def after(self, parts: Parts, filled: Mapping[str, int]) -> dict[str, Array]:
        """Returns the parts, with numbers that begin after the frames that are there."""
        return {**parts, INDEX: parts[INDEX] + np.int32(filled[FRAMES])}

    def reads(self, parts: Parts, rows: Array) -> Sequence[tuple[Array, Array]]:
        """Returns the frames that the rows have; their numbers are small, and read here."""
        frames = (parts[FRAMES], np.unique(parts[INDEX][rows]).astype(np.int64))
        return [frames, (parts[TAIL], rows)] if TAIL in parts else [frames]

    def described(self) -> dict[str, Array]:
        """Returns the split."""
        return {SPLIT: np.array(self.split, np.int64)}

    def check(self, parts: Parts) -> None:
        """Raises ValueError where parts are not of this form."""
        index, frames, size = parts[INDEX], parts[FRAMES], prod(self.shape)
        n, kind = len(index), np.dtype(self.dtype)
        wanted = {
            INDEX: ((n, self.split.stack), np.dtype(np.int32)),
            FRAMES: ((len(frames), self.split.frame_size), kind),
        }
        if self.split.size < size:
            wanted[TAIL] = ((n, size - self.split.size), kind)
        inside = min(self.split) > 0 and self.split.size <= size
        if not inside or {k: (p.shape, p.dtype) for k, p in parts.items()} != wanted:
            raise ValueError("the parts do not fit their rows")
        if index.size and not 0 <= index.min() <= index.max() < len(frames):
            raise ValueError("a row has a frame that is not there")


def _distinct(frames: Array) -> tuple[Array, Array]:
    """Returns for frames (m, size) the number of each, (m,) int32, and where each first is.

    Equal frames have the same number; numbers count up in the order of the frames.
    """
    numbers: dict[bytes, int] = {}
    number = np.empty(len(frames), np.int32)
    first: list[int] = []
    for i, frame in enumerate(frames):
        # Equal digests are equal bytes, for all that is known of SHA-256.
        number[i] = found = numbers.setdefault(hashlib.sha256(frame).digest(), len(numbers))
        if found == len(first):
            first.append(i)
    return number, np.array(first, np.int64)
