"""Numba kernels of the linear support vector machines on bit-packed binary features.

Feature i of a row is bit i % 8 (from the lowest) of byte i // 8. The time is proportional to the
number of set bits. Each row is summed in a fixed order, so that its margin does not depend on the
other rows of a batch.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.utils.compiled import kernel


def _bit_table() -> tuple[Array, Array]:
    """Returns, for each byte, its number of set bits (256,) and their positions (256, 8)."""
    counts, places = np.zeros(256, np.int64), np.zeros((256, 8), np.int64)
    for byte in range(256):
        ones = [bit for bit in range(8) if byte >> bit & 1]
        counts[byte] = len(ones)
        places[byte, : len(ones)] = ones
    return counts, places


COUNTS, PLACES = _bit_table()


@kernel(nogil=True)
def unpack(row: Array, at: Array) -> int:
    """Writes the indices of the set features and of the bias into `at`; returns their number."""
    n = 0
    for byte in range(len(row)):
        bits = row[byte]
        if bits == 0:
            continue
        for i in range(COUNTS[bits]):
            at[n] = 8 * byte + PLACES[bits, i]
            n += 1
    at[n] = 8 * len(row)
    return n + 1


@kernel(nogil=True)
def add_up(at: Array, n: int, weights: Array, margins: Array) -> None:
    """Sets `margins` (M,) to the sum of the rows `at[:n]` of `weights` (features + 1, M)."""
    margins[:] = 0
    for p in range(n):
        line = weights[at[p]]
        for m in range(len(margins)):
            margins[m] += line[m]


@kernel(nogil=True)
def ascend(
    rows: Array, signs: Array, order: Array, alphas: Array, weights: Array, most: float
) -> None:
    """Runs one pass of dual coordinate ascent (Hsieh et al. 2008, Alg. 1) over `rows[order]`.

    `signs` (N, M) float32 are the labels -1 or 1, `alphas` (N, M) float32 the dual variables in
    [0, most], `weights` (features + 1, M) float32 the sum of alpha * sign * row, the bias last.
    All M machines have the same rows, so their weights of a feature are adjacent in memory.
    """
    at = np.empty(8 * rows.shape[1] + 1, np.int64)
    n_machines = weights.shape[1]
    margins, steps = np.empty(n_machines, np.float32), np.empty(n_machines, np.float32)
    limit = np.float32(most)
    for r in order:
        n = unpack(rows[r], at)
        add_up(at, n, weights, margins)
        moved = False
        for m in range(n_machines):
            before = alphas[r, m]
            wanted = before + (np.float32(1) - signs[r, m] * margins[m]) / np.float32(n)
            after = min(max(wanted, np.float32(0)), limit)
            steps[m] = (after - before) * signs[r, m]
            alphas[r, m] = after
            moved = moved or steps[m] != 0
        if moved:
            for p in range(n):
                line = weights[at[p]]
                for m in range(n_machines):
                    line[m] += steps[m]


@kernel(nogil=True)
def margins_of(rows: Array, weights: Array, margins: Array) -> None:
    """Computes `margins` (n, M) float32 of packed rows (n, bytes)."""
    at = np.empty(8 * rows.shape[1] + 1, np.int64)
    for r in range(len(rows)):
        add_up(at, unpack(rows[r], at), weights, margins[r])
