"""From labelled sequences and a split to an `Env`: what `sequence` and `handwriting` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.seeds import TEST_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.types import Array, Policy, Score, Space
from dagger_cli.envs.sequences.env import ObservationConfig, SequenceEnv
from dagger_cli.envs.sequences.table import Sequences, Split


@dataclass(frozen=True)
class Seeds:
    """Seeds name sequences: those of test and validation count through their part of the split.

    All others are training seeds: any n consecutive ones are one pass over the n training
    sequences, in an order that is shuffled once and for all.
    """

    split: Split

    def __call__(self, seeds: Array) -> Array:
        """(k,) seeds -> (k,) indices of sequences."""
        test = (TEST_SEEDS.start <= seeds) & (seeds < TEST_SEEDS.stop)
        validation = (VALIDATION_SEEDS.start <= seeds) & (seeds < VALIDATION_SEEDS.stop)
        return np.select(
            [test, validation],
            [
                _around(self.split.test, seeds - TEST_SEEDS.start),
                _around(self.split.validation, seeds - VALIDATION_SEEDS.start),
            ],
            self._train[seeds % len(self._train)],
        )

    @cached_property
    def _train(self) -> Array:
        return np.random.default_rng(0).permutation(self.split.train)


def _around(part: Array, places: Array) -> Array:
    return np.asarray(part[places % len(part)])


@dataclass(frozen=True)
class SequenceSource:
    """Opens environments over labelled sequences; nothing random is left but the seeds' order."""

    id: str
    sequences: Sequences
    split: Split
    sight: ObservationConfig
    render_modes: tuple[str, ...] = ()
    fps: int = 1
    most_slots: int = 1024  # in an evaluation: a slot is a few rows of arrays

    @property
    def observation_space(self) -> Space:
        """See `Sight.observation_space`."""
        return self.sight.observation_space(self.sequences)

    @property
    def action_space(self) -> Space:
        """One label of `sequences.names`."""
        return Space("discrete", (), "int64", sizes=(len(self.sequences.names),))

    @property
    def horizon(self) -> int:
        """The length of the longest sequence."""
        return int(self.sequences.lengths.max())

    @property
    def test_episodes(self) -> int:
        """How many episodes play every test sequence once."""
        return len(self.split.test)

    @property
    def validation_episodes(self) -> int:
        """How many episodes play every validation sequence once."""
        return len(self.split.validation)

    def open(self, n_envs: int) -> SequenceEnv:
        """`n_envs` slots; thousands cost no more calls than one."""
        if n_envs < 1:
            raise ConfigError(f"n_envs must be at least 1, got {n_envs}")
        return SequenceEnv(self.sequences, self.sight, Seeds(self.split), n_envs)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path) -> Score:
        """There is nothing to film; raises EnvError."""
        raise EnvError(
            f"env '{self.id}' cannot be shown: it labels sequences; leave out render and video"
        )
