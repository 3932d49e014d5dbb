"""Numba kernel of pictures: areas are averaged in one pass over the picture."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.utils.compiled import kernel


@kernel()
def area_means(
    frame: Array, rows: Array, row_shares: Array, columns: Array, column_shares: Array
) -> Array:
    """Returns the means (side, side, channels) float32 of areas of a picture (h, w, channels).

    `rows` (side, k) are the rows of each area and `row_shares` their shares, float32, as `columns`
    and `column_shares`. Sums are in this order, so they are the same on all machines.
    """
    side, channels = len(rows), frame.shape[2]
    flat = frame.reshape(len(frame), -1)
    strip = np.empty(flat.shape[1], np.float32)
    means = np.zeros((side, side, channels), np.float32)
    for i in range(side):
        strip[:] = 0
        for k in range(rows.shape[1]):
            share = row_shares[i, k]
            if share > 0:
                line = flat[rows[i, k]]
                for x in range(len(strip)):
                    strip[x] += np.float32(line[x]) * share
        for j in range(side):
            for k in range(columns.shape[1]):
                begin, share = columns[j, k] * channels, column_shares[j, k]
                for c in range(channels):
                    means[i, j, c] += strip[begin + c] * share
    return means
