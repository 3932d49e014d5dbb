"""Recorded episodes as an environment: observations come from the data, whatever is done.

The reward of a step is the agreement with the recorded action, 1 - distance: the return per step is
the mean agreement, 1 where every action is the recorded one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.policies import distance
from dagger_cli.core.types import Array, Observation, Snapshot, Space, Step


class RecordedEnv:
    """`n_envs` episodes side by side; `choose` maps seeds (k,) to episodes (k,).

    `starts` (E + 1,) int64 are the first rows of the episodes and the number of rows.
    """

    def __init__(
        self,
        spaces: tuple[Space, Space],
        obs: Array,
        labels: Array,
        starts: Array,
        choose: Callable[[Array], Array],
        n_envs: int,
    ) -> None:
        self.observation_space, self.action_space = spaces
        self.n_envs = n_envs
        self._obs, self._labels, self._starts, self._choose = obs, labels, starts, choose
        self._episode, self._steps = np.zeros(n_envs, np.int64), np.zeros(n_envs, np.int64)

    @property
    def observation(self) -> Observation:
        """Observations of all slots; an ended slot keeps its last one."""
        return Observation(self._obs[self._at(slice(None))], self._steps.copy())

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts the episode of each seed."""
        self._episode[slots], self._steps[slots] = self._choose(np.asarray(seeds)), 0

    def step(self, slots: Array, actions: Array) -> Step:
        """Compares the actions with the recorded ones, and goes on."""
        labels = self._labels[self._at(slots)]
        apart = distance(self.action_space, np.asarray(actions).reshape(labels.shape), labels)
        self._steps[slots] += 1
        over = self._steps[slots] >= self._lengths[self._episode[slots]]
        never = np.zeros(len(slots), bool)
        return Step(1.0 - apart, over, never, never)

    def snapshot(self) -> Snapshot:
        """Returns the state of every slot."""
        return {"episode": self._episode.copy(), "steps": self._steps.copy()}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError where it is of other data."""
        episode, steps = snapshot["episode"], snapshot["steps"]
        known = (episode >= 0) & (episode < len(self._starts) - 1) & (steps >= 0)
        if episode.shape != (self.n_envs,) or steps.shape != (self.n_envs,) or not known.all():
            raise EnvError("the saved state does not fit the data set: it has changed since")
        self._episode[:], self._steps[:] = episode, steps

    def close(self) -> None:
        """Does nothing: there are no resources but memory."""

    @property
    def _lengths(self) -> Array:
        return np.diff(self._starts)

    def _at(self, slots: Array | slice) -> Array:
        """Returns the row of each slot, the last one of an episode that has ended."""
        episode = self._episode[slots]
        here: Array = self._starts[episode] + np.minimum(
            self._steps[slots], self._lengths[episode] - 1
        )
        return here
