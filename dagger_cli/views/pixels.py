"""Rendered pictures as observations: shrunk by averaging areas, as cv2's INTER_AREA does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dagger_cli.core.types import Array

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green and blue (ITU-R BT.601)


@dataclass(frozen=True)
class Pictures:
    """Pictures of slots: `frame` renders one, (height, width, 3) uint8."""

    frame: Callable[[int], Array]
    side: int
    grey: bool

    def __call__(self, slots: Array) -> Array:
        """Returns the pictures of slots (k,), (k, side, side, channels) uint8."""
        return np.stack(
            [shrunk(self.frame(int(slot)), self.side, grey=self.grey) for slot in slots]
        )


def shrunk(frame: Array, side: int, *, grey: bool) -> Array:
    """Returns a picture (height, width, 3) uint8 as (side, side, 1 or 3) uint8."""
    means = _averaged(_averaged(frame, side).swapaxes(0, 1), side).swapaxes(0, 1)
    channels = (means * LUMA).sum(2, keepdims=True) if grey else means
    return np.asarray(np.rint(np.clip(channels, 0, 255)), np.uint8)


def _averaged(rows: Array, side: int) -> Array:
    """Returns the means (side, ...) of equal intervals of the rows (n, ...), float32.

    As sums of few weighted rows: a product of matrices would use threads, which are slower for one
    picture, and give other last digits.
    """
    places, shares = _shares(len(rows), side)
    shape = (side, *[1] * (rows.ndim - 1))
    means = np.zeros((side, *rows.shape[1:]), np.float32)
    for place, share in zip(places.T, shares.T, strict=True):
        means += rows[place] * share.reshape(shape)
    return means


@lru_cache(maxsize=8)
def _shares(n: int, side: int) -> tuple[Array, Array]:
    """Returns which of n rows each of `side` equal intervals has, and their shares, (side, k)."""
    edges = np.linspace(0, n, side + 1)
    first = np.minimum(edges[:-1].astype(np.int64), n - 1)
    rows = first[:, None] + np.arange(int(np.ceil(n / side)) + 1)
    shared = np.minimum(edges[1:, None], rows + 1) - np.maximum(edges[:-1, None], rows)
    shares = np.maximum(shared, 0) * side / n
    return np.minimum(rows, n - 1), shares.astype(np.float32)
