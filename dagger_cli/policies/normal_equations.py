"""Normal equations of linear regression, summed round by round.

Rounds are only added to a data set, so a fit needs the products of its last round alone. The sums
of earlier ones are reused where a digest of their rows is equal; they are the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Array, Space

ROWS = 4096  # converted to float64 at a time


@dataclass
class NormalEquations:
    """Sums over rows z = (observation, 1, action) of the outer product z z^T.

    Keeps the sums of the last data set that was summed.
    """

    actions: Space
    _digest: bytes = field(default=b"", init=False)
    _sums: Array = field(default_factory=lambda: np.empty(0), init=False)

    def sums(self, data: Dataset) -> Array:
        """Returns the sums of all rows, (d + 1 + k, d + 1 + k) float64."""
        rounds = list(data.by_round())
        digests = list(accumulate(rounds, _digest_of, initial=b""))
        known = digests.index(self._digest) if self._digest in digests[1:] else 0
        width = int(np.prod(data.stored.shape[1:])) + 1 + self.actions.size
        total = self._sums.copy() if known else np.zeros((width, width))
        for part in rounds[known:]:
            for block in blocks(part, self.actions):
                total += block.T @ block
        self._digest, self._sums = digests[-1], total
        return total


def blocks(data: Dataset, actions: Space) -> Iterator[Array]:
    """Yields rows (n, d + 1 + k) float64: observation, 1, action in units of half its range."""
    _, centre, half = actions.centre_and_half()
    for begin in range(0, len(data), ROWS):
        part = data[begin : begin + ROWS]
        n = len(part)
        x = part.obs.reshape(n, -1).astype(np.float64)
        y = (part.labels.reshape(n, -1).astype(np.float64) - centre) / half
        yield np.concatenate([x, np.ones((n, 1)), y], axis=1)


def _digest_of(before: bytes, data: Dataset) -> bytes:
    digest = blake2b(before, digest_size=32)
    for column in (data.obs, data.labels):
        digest.update(np.ascontiguousarray(column).data)
    return digest.digest()
