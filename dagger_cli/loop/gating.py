"""Rounds in which the expert acts, and is asked, only where a gate calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import GatedPolicy, distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, Observation, Policy, Usage
from dagger_cli.loop.rollout import label, rollout

Doubt = Callable[[Observation, Generator], Array]  # (n,) bool: where the expert is called


class Gathered(NamedTuple):
    """All rows so far, what the round used, and how much the gate saved."""

    data: Dataset
    usage: Usage
    metrics: Mapping[str, float]


def gather(state: State, kit: Kit, gate: Doubt | None) -> Gathered:
    """Roll the learner out for a round; in doubt the expert takes over and its answer is kept.

    Without a gate (`gate` None) the expert acts everywhere, as in the first round.
    """
    actor: Policy = kit.expert
    if gate is not None and state.policy is not None:
        actor = GatedPolicy(state.policy, kit.expert, gate)
    visited = rollout(kit, actor, kit.budget.steps(state.round))
    fresh = label(kit, visited, where=visited.acts.from_expert)
    data = kit.aggregate(state.data, fresh)
    saved = len(visited) - len(fresh)
    metrics = {"train/queries_saved": float(saved), "train/asked_share": len(fresh) / len(visited)}
    return Gathered(data, Usage(len(visited), len(fresh)), metrics)


def check_threshold(key: str, value: float) -> None:
    """Thresholds are distances between actions, see `policies.distance`."""
    if not 0 <= value < 1:
        raise ConfigError(f"trainer.{key} must be in [0, 1), got {value}; try 0.05")


class Watcher:
    """Somebody who looks on, takes over where the learner is too far off, and then stays a while.

    Takes over where the learner's action is more than `enter` from the expert's, gives back where
    it is less than `leave`. Looking on is not a query: only what is done while in charge is a
    label. Rows must be slots in their order; remembers who is in charge within one round.
    """

    def __init__(self, kit: Kit, learner: Policy, enter: float, leave: float) -> None:
        self._kit, self._learner, self._enter, self._leave = kit, learner, enter, leave
        self._in_charge = np.zeros(kit.env.n_envs, bool)

    def __call__(self, observation: Observation, rng: Generator) -> Array:
        """(n,) bool: where the expert acts now."""
        own, wanted = self._learner.act(observation, rng), self._kit.expert.act(observation, rng)
        gap = distance(self._kit.env.action_space, own.actions, wanted.actions)
        before = self._in_charge[: len(observation)] & (observation.t > 0)
        now = np.asarray(np.where(before, gap >= self._leave, gap > self._enter))
        self._in_charge[: len(observation)] = now
        return now


class Answers:
    """A gate out of a policy that answers 1 where the expert is wanted."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __call__(self, observation: Observation, rng: Generator) -> Array:
        """(n,) bool."""
        return np.asarray(self._policy.act(observation, rng).actions == 1)
