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
    from dagger_cli.views.pixel_kernels import area_means

    height, width = frame.shape[:2]
    means = area_means(np.ascontiguousarray(frame), *_shares(height, side), *_shares(width, side))
    if grey:
        red, green, blue = np.moveaxis(means * LUMA, 2, 0)
        means = (red + green + blue)[..., None]
    return np.asarray(np.rint(np.clip(means, 0, 255)), np.uint8)


@lru_cache(maxsize=8)
def _shares(n: int, side: int) -> tuple[Array, Array]:
    """Returns which of n rows each of `side` equal intervals has, and their shares, (side, k)."""
    edges = np.linspace(0, n, side + 1)
    first = np.minimum(edges[:-1].astype(np.int64), n - 1)
    rows = first[:, None] + np.arange(int(np.ceil(n / side)) + 1)
    shared = np.minimum(edges[1:, None], rows + 1) - np.maximum(edges[:-1, None], rows)
    shares = np.maximum(shared, 0) * side / n
    return np.minimum(rows, n - 1), shares.astype(np.float32)
