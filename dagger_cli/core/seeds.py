"""Episode seeds: disjoint ranges for evaluation (test), validation and training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array

TEST_SEEDS = range(1_000_000)
VALIDATION_SEEDS = range(1_000_000, 2_000_000)
TRAIN_SEEDS = range(2**24, 2**31 - 1)


class EpisodeSeeds:
    """Generator of training seeds: consecutive integers from a random start.

    An environment made from data (words, recorded games) can thus map any n consecutive seeds to
    its n episodes, each exactly once.
    """

    def __init__(self, rng: Generator) -> None:
        self._next = int(rng.integers(TRAIN_SEEDS.start, TRAIN_SEEDS.stop))

    def take(self, n: int) -> Array:
        """Returns the next n seeds, (n,) int64."""
        ahead = np.arange(self._next, self._next + n, dtype=np.int64) - TRAIN_SEEDS.start
        seeds = TRAIN_SEEDS.start + ahead % len(TRAIN_SEEDS)
        self._next = int(seeds[-1]) + 1 if n else self._next
        return np.asarray(seeds)

    def save(self) -> dict[str, Any]:
        """Returns the state as JSON-serializable numbers."""
        return {"next": self._next}

    def load(self, saved: Any) -> None:
        """Restores the state that `save` returned; raises ValueError for another one."""
        following = int(saved["next"])
        if not TRAIN_SEEDS.start <= following <= TRAIN_SEEDS.stop:
            raise ValueError(f"{following} is not a training seed")
        self._next = following
