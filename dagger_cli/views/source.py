"""Source of viewed environments, and a student's policy where an environment shows everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Acts, Expert, History, Observation, Policy, Score, Space
from dagger_cli.views.env import ViewedEnv, framed
from dagger_cli.views.layout import Layout, layout
from dagger_cli.views.memory import Memory
from dagger_cli.views.sight import with_full_sight
from dagger_cli.views.view import View


@dataclass(frozen=True)
class ViewedSource:
    """Source whose environments show a view; all that it does not say is that of the source `full`.

    Raises ConfigError where the view does not fit the environment.
    """

    full: Any
    view: View
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        spaces = self.full.observation_space, self.full.action_space
        found = layout(self.view, *spaces, getattr(self.full, "parts", {}))
        object.__setattr__(self, "layout", found)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "full":  # before there is one: in copies and pickles
            raise AttributeError(name)
        return getattr(self.full, name)

    @property
    def observation_space(self) -> Space:
        """Space of the student's observations."""
        return self.layout.space

    @property
    def history(self) -> History:
        """What an observation consists of."""
        return self.layout.history

    def open(self, n_envs: int) -> ViewedEnv:
        """Opens `n_envs` slots."""
        return ViewedEnv(self.full.open(n_envs), self.layout)

    def sighted(self, expert: Expert) -> Expert:
        """Returns an expert of the source `full` for these environments."""
        return with_full_sight(expert)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path) -> Score:
        """Renders one episode per seed, played by a student."""
        score: Score = self.full.play(Through(policy, self.layout, seeds), seeds, rng, mode)
        return score


class Through:
    """A student's policy for full observations of one environment, which plays `seeds` in order.

    Stateful: holds what the student saw in the current episode.
    """

    def __init__(self, policy: Policy, layout: Layout, seeds: Sequence[int]) -> None:
        self._policy, self._layout, self._seeds = policy, layout, iter(seeds)
        self._memory, self._slot = Memory(layout, 1), np.zeros(1, np.int64)
        self._seed, self._last = np.zeros(1, np.int64), np.zeros(0)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in the full observation of one environment, (1, *obs_shape)."""
        began = observation.t[0] == 0
        if began:
            self._seed = np.array([next(self._seeds)], np.int64)
        frames = framed(self._layout, observation.obs, self._seed, observation.t)
        if began:
            self._memory.start(self._slot, frames)
        else:
            self._memory.push(self._slot, self._last, frames)
        acts = self._policy.act(Observation(self._memory.rows, observation.t), rng)
        self._last = acts.actions
        return acts
