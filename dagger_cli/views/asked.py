"""Experts with a memory, or a view of their own: asked at every step, in order, whoever acts.

The environment carries the expert's action as privileged data, as a planner's environment carries
the state of its simulator. So a label does not depend on when, how often or in which batch it is
asked for, and a snapshot contains the expert's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import (
    Acts,
    Array,
    Card,
    Env,
    Observation,
    Policy,
    RecurrentExpert,
    Score,
    Snapshot,
    Space,
    Step,
)
from dagger_cli.envs.video import Mode
from dagger_cli.views.sight import unpacked
from dagger_cli.views.source import ViewedSource

MEMORY, ANSWERS, TEACHER = "asked.memory", "asked.answers", "asked."
STAYS = "this expert sees whole episodes, so it is asked in their order, where the environment is"


@dataclass(frozen=True)
class AskedSource:
    """Source whose environments ask the expert; all else is that of the source `inner`."""

    inner: Any
    expert: RecurrentExpert

    def __post_init__(self) -> None:
        self._shown()  # raises ConfigError where the expert's view does not fit the environment

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "inner":  # before there is one: in copies and pickles
            raise AttributeError(name)
        return getattr(self.inner, name)

    def open(self, n_envs: int) -> AskedEnv:
        """Opens `n_envs` slots."""
        return self._asking(self._shown().open(n_envs))

    def open_here(self, n_envs: int, render_mode: str | None) -> tuple[AskedEnv, Any]:
        """Opens slots in this process; returns them and their environments."""
        inner, slots = self._shown().open_here(n_envs, render_mode)
        return self._asking(inner), slots

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Renders one episode per seed; raises EnvError for the expert itself."""
        if isinstance(policy, Told):
            raise EnvError("an expert with a memory cannot be recorded: record a student")
        score: Score = self.inner.play(policy, seeds, rng, mode)
        return score

    def _shown(self) -> Any:
        """Returns the source of what the expert sees: a student as an expert has a view."""
        view = getattr(self.expert, "view", None)
        return self.inner if view is None else ViewedSource(self.inner, view, name=TEACHER)

    def _asking(self, inner: Env) -> AskedEnv:
        full = unpacked if hasattr(self.expert, "view") else None
        return AskedEnv(inner, self.expert, self.inner.observation_space, full)


class AskedEnv:
    """The slots of `inner`, with the expert's action in each as privileged data.

    `inner` shows what the expert sees; `full` maps it to the observations (of `space`) for others,
    None where they are the same.
    """

    def __init__(
        self,
        inner: Env,
        expert: RecurrentExpert,
        space: Space,
        full: Callable[[Observation], Observation] | None = None,
    ) -> None:
        self.observation_space, self.action_space = space, inner.action_space
        self._full = full
        self.n_envs, self._inner, self._expert = inner.n_envs, inner, expert
        self._memory = np.zeros((self.n_envs, expert.memory_size))
        actions = inner.action_space
        self._answers = np.zeros((self.n_envs, *actions.shape), actions.dtype)

    @property
    def observation(self) -> Observation:
        """Observations of all slots, and the expert's actions in them."""
        inner = self._inner.observation
        inner = inner if self._full is None else self._full(inner)
        return replace(inner, privileged=self._answers)

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts a new episode in each of `slots` (k,); the expert forgets the last one."""
        self._inner.reset(slots, seeds)
        self._memory[slots] = 0
        self._ask(slots)

    def step(self, slots: Array, actions: Array) -> Step:
        """Steps each of `slots` (k,) once."""
        step = self._inner.step(slots, actions)
        self._ask(slots[~step.ended])
        return step

    def snapshot(self) -> Snapshot:
        """Returns the state of the environment, and the expert's memory and answers."""
        own = {MEMORY: self._memory.copy(), ANSWERS: self._answers.copy()}
        return {**self._inner.snapshot(), **own}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError where it is of another expert."""
        for name, array in ((MEMORY, self._memory), (ANSWERS, self._answers)):
            saved = snapshot.get(name)
            if saved is None or (saved.shape, saved.dtype) != (array.shape, array.dtype):
                raise EnvError("the saved state is of another expert: it lacks this one's memory")
            if saved.dtype.kind == "f" and not np.isfinite(saved).all():
                raise EnvError("the saved memory of the expert is not made of finite numbers")
        rest = {key: value for key, value in snapshot.items() if key not in (MEMORY, ANSWERS)}
        self._inner.restore(rest)
        self._memory[:], self._answers[:] = snapshot[MEMORY], snapshot[ANSWERS]

    def close(self) -> None:
        """Closes the environment."""
        self._inner.close()

    def _ask(self, slots: Array) -> None:
        if slots.size:
            obs: Any = self._inner.observation.rows[slots]  # with a past, if its view has one
            answers, self._memory[slots] = self._expert.advance(obs, self._memory[slots])
            self._answers[slots] = answers


@dataclass(frozen=True)
class Told:
    """The expert as a policy: its actions are those that the environment carries."""

    card: Card
    stays_because: ClassVar[str] = STAYS

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the actions, (n, *action_shape)."""
        assert observation.privileged is not None, "the environment did not ask the expert"
        return Acts(observation.privileged, np.ones(len(observation), bool))
