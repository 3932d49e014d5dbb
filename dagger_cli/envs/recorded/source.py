"""`env=dataset`: a data set in place of an environment, for `trainer=sup` without a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.seeds import TEST_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.types import Array, Policy, Score, Space
from dagger_cli.core.values import at_least, in_range
from dagger_cli.data.episodes import Episodes
from dagger_cli.data.fitting import dataset_of
from dagger_cli.data.read import read_episodes
from dagger_cli.data.spaces import space_of
from dagger_cli.envs.recorded.env import RecordedEnv


@dataclass(frozen=True)
class Parts:
    """Episodes of the three parts, (k,) int64 each; no episode is in two of them."""

    train: Array
    validation: Array
    test: Array

    def __call__(self, seeds: Array) -> Array:
        """Maps seeds (k,) to episodes (k,): test and validation seeds count through their part."""
        test = (TEST_SEEDS.start <= seeds) & (seeds < TEST_SEEDS.stop)
        validation = (VALIDATION_SEEDS.start <= seeds) & (seeds < VALIDATION_SEEDS.stop)
        turns = [self.test[seeds % len(self.test)], self.validation[seeds % len(self.validation)]]
        return np.select([test, validation], turns, self.train[seeds % len(self.train)])


@dataclass(frozen=True)
class RecordedSource:
    """`path` of the data set; `validation` and `test` in (0, 1): the held-out shares of episodes.

    Which episodes these are depends on `split` alone. Spaces are those that the data set names,
    else those of its numbers.
    """

    path: str
    validation: float
    test: float
    split: int
    id: str = field(init=False)
    render_modes: tuple[str, ...] = ()
    fps: int = 1
    most_slots: int = 1024  # in an evaluation: a slot costs only a few array rows

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self._episodes.about.env_id or Path(self.path).stem)
        in_range("env.validation", self.validation, "(0, 1)", 0.1)
        in_range("env.test", self.test, "(0, 1)", 0.1)
        in_range("env.validation plus env.test", self.validation + self.test, "(0, 1)")
        if self._episodes.n_episodes < 3:
            raise ConfigError(
                f"{self.path} has {self._episodes.n_episodes} episodes, but one each is needed to "
                "learn from, to validate and to test: without an environment give 3 or more"
            )

    @cached_property
    def _episodes(self) -> Episodes:
        return read_episodes(self.path)

    @property
    def observation_space(self) -> Space:
        """What the data set names, else that of its observations."""
        rows = self._episodes.columns["observation"]
        return self._episodes.about.observation_space or space_of(rows, "observation")

    @property
    def action_space(self) -> Space:
        """What the data set names, else that of its actions."""
        rows = self._episodes.columns["expert_action"]
        return self._episodes.about.action_space or space_of(rows, "expert_action")

    @property
    def horizon(self) -> int:
        """Length of the longest episode."""
        return int(np.diff(self._episodes.starts).max())

    @cached_property
    def split_parts(self) -> Parts:
        """The three parts; validation and test have one episode at least."""
        n = self._episodes.n_episodes
        order = np.random.default_rng(self.split).permutation(n)
        n_test, n_validation = (max(1, round(share * n)) for share in (self.test, self.validation))
        n_test, n_validation = min(n_test, n - 2), min(n_validation, n - 1 - min(n_test, n - 2))
        test, validation, train = np.split(order, [n_test, n_test + n_validation])
        return Parts(np.sort(train), np.sort(validation), np.sort(test))

    @property
    def test_episodes(self) -> int:
        """Number of episodes held out for the final table."""
        return len(self.split_parts.test)

    @property
    def validation_episodes(self) -> int:
        """Number of episodes held out to select the best round."""
        return len(self.split_parts.validation)

    def training_rows(self) -> Dataset:
        """Returns the steps of all other episodes."""
        return self._rows(self._episodes.chosen(self.split_parts.train))

    def open(self, n_envs: int) -> RecordedEnv:
        """Opens `n_envs` slots."""
        at_least("n_envs", n_envs, 1)
        rows = self._rows(self._episodes)
        spaces = self.observation_space, self.action_space
        starts = self._episodes.starts
        return RecordedEnv(spaces, rows.obs, rows.labels, starts, self.split_parts, n_envs)

    def _rows(self, episodes: Episodes) -> Dataset:
        return dataset_of(episodes, self.observation_space, self.action_space, self.id)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path) -> Score:
        """Raises EnvError: recorded numbers cannot be rendered."""
        raise EnvError("env=dataset cannot be shown: leave out render and video")
