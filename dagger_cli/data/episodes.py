"""Recorded episodes, as every format of this folder reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space

# Of every step; only the first four are in every data set.
COLUMNS = {
    "observation": "what the student saw before the step, raw",
    "expert_action": "the expert's action there: the label",
    "episode": "number of the episode, from 0",
    "step": "env steps taken in the episode before this one",
    "action": "the action that was executed",
    "from_expert": "whether the expert executed it",
    "reward": "reward of the step",
    "terminated": "whether the episode ended with the step, other than by its step limit",
    "truncated": "whether its step limit ended it",
    "failed": "whether it ended by a fall, a crash or the like",
    "success": "whether it ended, and not by a failure",
    "round": "round of the run, from 1",
    "beta": "probability of that round that the expert acts",
    "policy": "first 16 digits of the SHA-256 digest of the policy that acted beside the expert",
}
NEEDED = ("observation", "expert_action", "episode", "step")
FULL = "full"  # the view of data that show the whole observation
FORMAT_VERSION = 2  # 1: the view was not exact


@dataclass(frozen=True)
class About:
    """What a data set says of itself; spaces are None where it does not say.

    `view` is what its observations show of the environment, in words, `full` for everything, empty
    where it does not say; `fps` the steps of a second.
    """

    env_id: str = ""
    source: str = ""
    view: str = ""
    fps: int = 30
    observation_space: Space | None = None
    action_space: Space | None = None


@dataclass(frozen=True)
class Episodes:
    """N recorded steps, episode after episode and each in its order.

    `columns` are those of `COLUMNS` that are known, N rows each; `final_observation` (E, ...) is
    what the last steps of the episodes `final_episode` (E,) int64 led to, where it was recorded.
    """

    columns: Mapping[str, Array]
    about: About
    final_observation: Array
    final_episode: Array

    def __post_init__(self) -> None:
        source = self.about.source
        for name in NEEDED:
            if name not in self.columns:
                raise ConfigError(f"{source} has no column '{name}' of numbers")
        for name, column in self.columns.items():
            if column.ndim == 0:
                raise ConfigError(f"{source}: '{name}' is a single value: it was altered")
        n = len(self.columns["episode"])
        for name, column in self.columns.items():
            if len(column) != n:
                raise ConfigError(
                    f"{source}: '{name}' has {len(column)} rows and 'episode' has {n}"
                )
        if n == 0:
            raise ConfigError(f"{source} has no steps")
        _check_episodes(self.columns["episode"], source)

    def __len__(self) -> int:
        return len(self.columns["episode"])

    @cached_property
    def starts(self) -> Array:
        """Returns the first row of every episode, and the number of rows, (E + 1,) int64."""
        first = np.flatnonzero(np.diff(self.columns["episode"], prepend=-1))
        return np.append(first, len(self))

    @property
    def n_episodes(self) -> int:
        """Number of episodes."""
        return len(self.starts) - 1

    def chosen(self, episodes: Array) -> Episodes:
        """Returns some of the episodes, by their position, numbered as before."""
        rows = np.concatenate([np.arange(*self.starts[i : i + 2]) for i in episodes.tolist()])
        columns = {name: column[rows] for name, column in self.columns.items()}
        kept = np.isin(self.final_episode, columns["episode"])
        return replace(
            self,
            columns=columns,
            final_observation=self.final_observation[kept],
            final_episode=self.final_episode[kept],
        )

    def final_of(self, episode: int) -> Array | None:
        """Returns the observation after an episode's last step, None where it is not known."""
        found = np.flatnonzero(self.final_episode == episode)
        return self.final_observation[found[0]] if found.size else None


def _check_episodes(episode: Array, source: str) -> None:
    """Raises ConfigError unless the episodes (N,) are whole numbers from 0, in their order."""
    whole = np.issubdtype(episode.dtype, np.integer)
    if not whole or episode.ndim != 1 or episode[0] < 0 or (np.diff(episode) < 0).any():
        raise ConfigError(
            f"{source}: 'episode' must be whole numbers from 0 that never fall: sort the rows by "
            "episode"
        )


def without_finals(columns: Mapping[str, Array], about: About) -> Episodes:
    """Returns episodes whose last observations are not known."""
    return Episodes(columns, about, columns["observation"][:0], np.empty(0, np.int64))


def numbered(ends: Array) -> tuple[Array, Array]:
    """Returns each row's episode and step, from where episodes end (N,) bool."""
    n = len(ends)
    starts = np.concatenate([[True], ends[:-1].astype(bool)]) if n else np.empty(0, bool)
    episode = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    return episode.astype(np.int64), np.arange(n) - first[episode] if n else np.empty(0, np.int64)
