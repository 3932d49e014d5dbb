"""Numba kernel of `policy=ridge`: a row's outputs do not depend on the other rows of a batch."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.utils.compiled import kernel


@kernel()
def products(rows: Array, weights: Array, chosen: Array) -> Array:
    """Returns (n, k) float64 for rows (n, d): each row is summed in a fixed order.

    `weights` (members, d + 1, k) float64, the intercept last; `chosen` (n,) is the member of a row.
    """
    n, d = rows.shape
    k = weights.shape[2]
    result = np.empty((n, k))
    for r in range(n):
        w = weights[chosen[r]]
        for j in range(k):
            parts = np.zeros(4)  # four sums at a time, as an addition waits for the one before it
            whole = d - d % 4
            for f in range(0, whole, 4):
                for i in range(4):
                    parts[i] += rows[r, f + i] * w[f + i, j]
            for f in range(whole, d):
                parts[f - whole] += rows[r, f] * w[f, j]
            result[r, j] = w[d, j] + ((parts[0] + parts[1]) + (parts[2] + parts[3]))
    return result
