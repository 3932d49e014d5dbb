"""Numba kernels of the support vector machine on products of two features.

A row of d numbers stands for d + d (d - 1) / 2 features: its numbers, then the products of numbers
i < j in the order (0, 1), (0, 2), ..., (1, 2), ... They are never stored: only products of numbers
that are not zero are visited, n (n - 1) / 2 for n of them. Each row is summed in a fixed order, so
that its margins do not depend on the other rows of a batch.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.utils.compiled import kernel


@kernel()
def descend_rest(
    classes: int, rows: Array, labels: Array, order: Array, weights: Array, rate: float
) -> float:
    """Makes one subgradient step per row of `rows[order]`; returns the summed hinge loss.

    `weights` (D + 1, K), K >= C: a hyperplane of the D features per class, the bias in the last
    row. Columns from C on stay zero: they fill the vector registers of the inner loops, which saves
    a quarter of the time for 26 classes. A rate of 0 computes only the loss.
    """
    d = rows.shape[1]
    scores = np.zeros(weights.shape[1], np.float32)
    steps = np.zeros(weights.shape[1], np.float32)
    at, value = np.zeros(len(weights), np.int64), np.ones(len(weights), np.float32)
    loss = 0.0
    for r in order:
        n = 0
        for f in range(d):
            if rows[r, f] != 0:
                at[n], value[n] = f, rows[r, f]
                n += 1
        singles = n
        for i in range(singles):
            first = d + at[i] * (2 * d - at[i] - 1) // 2 - at[i] - 1  # of the products with it
            for j in range(i + 1, singles):
                at[n], value[n] = first + at[j], value[i] * value[j]
                n += 1
        at[n], value[n] = len(weights) - 1, 1.0
        scores[:] = 0
        for p in range(n + 1):
            line, x = weights[at[p]], value[p]
            for k in range(len(scores)):
                scores[k] += x * line[k]
        wrong = False
        for k in range(classes):
            side = np.float32(1.0 if k == labels[r] else -1.0)
            short = 1 - side * scores[k]
            steps[k] = 0
            if short > 0:
                loss += short
                steps[k] = rate * side
                wrong = True
        if wrong and rate > 0:
            for p in range(n + 1):
                line, x = weights[at[p]], value[p]
                for k in range(len(scores)):
                    line[k] += x * steps[k]
    return loss


@kernel()
def margins(rows: Array, weights: Array) -> Array:
    """Returns the margins (n, C) float32 of rows (n, d); `weights` (D + 1, C), the bias last."""
    n_rows, d = rows.shape
    result = np.empty((n_rows, weights.shape[1]), np.float32)
    at = np.zeros(d, np.int64)
    for r in range(n_rows):
        line = result[r]
        line[:] = weights[len(weights) - 1]
        n = 0
        for f in range(d):
            if rows[r, f] != 0:
                at[n] = f
                n += 1
        for i in range(n):
            x = np.float32(rows[r, at[i]])
            for k in range(len(line)):
                line[k] += x * weights[at[i], k]
            first = d + at[i] * (2 * d - at[i] - 1) // 2 - at[i] - 1
            for j in range(i + 1, n):
                y = x * np.float32(rows[r, at[j]])
                products = weights[first + at[j]]
                for k in range(len(line)):
                    line[k] += y * products[k]
    return result
