"""Numba kernels of the linear support vector machines.

Rows are dense, but the time is proportional to their non-zero numbers. Each row is summed in a
fixed order, so that its margins do not depend on the other rows of a batch.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.utils.compiled import kernel


@kernel()
def descend_pairs(rows: Array, labels: Array, order: Array, weights: Array, rate: float) -> float:
    """Makes one subgradient step per row of `rows[order]`; returns the summed hinge loss.

    `weights` (C, d + 1, K), K >= C: weights[c, :, k] is the hyperplane that is positive for class c
    and negative for k, the bias last; weights[k, :, c] is its negative. A row of class c uses the
    C - 1 hyperplanes weights[c], which are adjacent in memory. A rate of 0 computes only the loss.
    """
    classes, d = weights.shape[0], rows.shape[1]
    scores = np.zeros(weights.shape[2], np.float32)
    at, value = np.zeros(d + 1, np.int64), np.ones(d + 1, np.float32)
    loss = 0.0
    for r in order:
        n = 0
        for f in range(d):
            if rows[r, f] != 0:
                at[n], value[n] = f, rows[r, f]
                n += 1
        at[n], value[n] = d, 1.0
        label = labels[r]
        scores[:] = 0
        for p in range(n + 1):
            line, x = weights[label, at[p]], value[p]
            for k in range(len(scores)):
                scores[k] += x * line[k]
        for k in range(classes):
            if k != label and scores[k] < 1:
                loss += 1 - scores[k]
                for p in range(n + 1 if rate > 0 else 0):
                    change = rate * value[p]
                    weights[label, at[p], k] += change
                    weights[k, at[p], label] -= change
    return loss


@kernel()
def descend_rest(rows: Array, labels: Array, order: Array, weights: Array, rate: float) -> float:
    """Does the same with one hyperplane per class: `weights` (d + 1, C), positive for the class."""
    classes, d = weights.shape[1], rows.shape[1]
    scores = np.zeros(classes, np.float32)
    at, value = np.zeros(d + 1, np.int64), np.ones(d + 1, np.float32)
    loss = 0.0
    for r in order:
        n = 0
        for f in range(d):
            if rows[r, f] != 0:
                at[n], value[n] = f, rows[r, f]
                n += 1
        at[n], value[n] = d, 1.0
        scores[:] = 0
        for p in range(n + 1):
            line, x = weights[at[p]], value[p]
            for k in range(classes):
                scores[k] += x * line[k]
        for k in range(classes):
            side = 1.0 if k == labels[r] else -1.0
            if side * scores[k] < 1:
                loss += 1 - side * scores[k]
                for p in range(n + 1 if rate > 0 else 0):
                    weights[at[p], k] += rate * side * value[p]
    return loss


@kernel()
def margins(rows: Array, weights: Array) -> Array:
    """Returns the margins (n, P) float32 of rows (n, d); `weights` (d + 1, P), the bias last."""
    n, d = rows.shape
    result = np.empty((n, weights.shape[1]), np.float32)
    for r in range(n):
        line = result[r]
        line[:] = weights[d]
        for f in range(d):
            x = np.float32(rows[r, f])
            if x != 0:
                for k in range(len(line)):
                    line[k] += x * weights[f, k]
    return result


@kernel()
def tournament(pair_margins: Array, classes: int, most: float) -> Array:
    """Returns the score of each class (n, C) from the margins (n, P) of pairs (0, 1), (0, 2), ...

    A class scores the sum of its margins, each clipped to +-`most`, or of their signs if `most`
    is 0.
    """
    n = len(pair_margins)
    result = np.zeros((n, classes), np.float32)
    for r in range(n):
        p = 0
        for i in range(classes):
            for j in range(i + 1, classes):
                margin = pair_margins[r, p]
                won = np.sign(margin) if most == 0 else min(max(margin, -most), most)
                result[r, i] += won
                result[r, j] -= won
                p += 1
    return result
