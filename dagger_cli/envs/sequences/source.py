"""Source of sequence-labelling environments, shared by `sequence` and `handwriting`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import EnvError
from dagger_cli.core.seeds import TEST_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.types import Array, Policy, Score, Space
from dagger_cli.core.values import at_least
from dagger_cli.envs.sequences.env import ObservationConfig, SequenceEnv
from dagger_cli.envs.sequences.table import Sequences, Split
from dagger_cli.envs.video import Mode


@dataclass(frozen=True)
class Seeds:
    """Mapping from seeds to sequences: test and validation seeds index their part of the split.

    All others are training seeds: any n consecutive ones are one pass over the n training
    sequences, in a fixed shuffled order.
    """

    split: Split

    def __call__(self, seeds: Array) -> Array:
        """Maps seeds (k,) to indices of sequences (k,)."""
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
    """Source of environments over labelled sequences; deterministic given the seeds."""

    id: str
    sequences: Sequences
    split: Split
    config: ObservationConfig
    render_modes: tuple[str, ...] = ()
    fps: int = 1
    most_slots: int = 1024  # in an evaluation: a slot costs only a few array rows

    @property
    def observation_space(self) -> Space:
        """See `ObservationConfig.observation_space`."""
        return self.config.observation_space(self.sequences)

    @property
    def action_space(self) -> Space:
        """One of the labels `sequences.names`."""
        return Space("discrete", (), "int64", sizes=(len(self.sequences.names),))

    @property
    def horizon(self) -> int:
        """Length of the longest sequence."""
        return int(self.sequences.lengths.max())

    @property
    def test_episodes(self) -> int:
        """Number of episodes that cover every test sequence once."""
        return len(self.split.test)

    @property
    def validation_episodes(self) -> int:
        """Number of episodes that cover every validation sequence once."""
        return len(self.split.validation)

    def open(self, n_envs: int) -> SequenceEnv:
        """Opens `n_envs` slots; the number of numpy calls does not depend on it."""
        at_least("n_envs", n_envs, 1)
        return SequenceEnv(self.sequences, self.config, Seeds(self.split), n_envs)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Raises EnvError: sequences cannot be rendered."""
        raise EnvError(
            f"env '{self.id}' cannot be shown: it labels sequences; leave out render and video"
        )
