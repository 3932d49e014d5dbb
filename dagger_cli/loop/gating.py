"""Rounds in which the expert acts, and labels, only in states that a gate selects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import GatedPolicy, distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, InCharge, Observation, Policy, Usage
from dagger_cli.core.values import in_range
from dagger_cli.loop.rollout import label, rollout

Gate = Callable[[Observation, Generator], Array]  # (n,) bool: True where the expert acts


class Gathered(NamedTuple):
    """All rows so far, the round's usage, and metrics of the queries saved."""

    data: Dataset
    usage: Usage
    metrics: Mapping[str, float]


def gather(state: State, kit: Kit, gate: Gate | None) -> Gathered:
    """Rolls out the learner for a round; where the gate is True the expert acts and labels.

    Without a gate (None) the expert acts everywhere, as in the first round.
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
    """Raises ConfigError unless a threshold of `policies.distance` is in [0, 1)."""
    in_range(f"trainer.{key}", value, "[0, 1)", 0.05)


class ScriptedGate:
    """Scripted human gate with hysteresis.

    The expert takes control when the action distance exceeds `enter` and returns it below `leave`.
    Comparing actions is not counted as a query: only states in which the expert acts are labelled.
    Rows must be all slots in order; stateful: holds who is in control, within one round.
    """

    def __init__(self, kit: Kit, learner: Policy, enter: float, leave: float) -> None:
        self._kit, self._learner, self._enter, self._leave = kit, learner, enter, leave
        self._in_charge = np.zeros(kit.env.n_envs, bool)

    def __call__(self, observation: Observation, rng: Generator) -> Array:
        """Returns where the expert acts, (n,) bool."""
        own, wanted = self._learner.act(observation, rng), self._kit.expert.act(observation, rng)
        gap = distance(self._kit.env.action_space, own.actions, wanted.actions)
        before = self._in_charge[: len(observation)] & (observation.t > 0)
        now = np.asarray(np.where(before, gap >= self._leave, gap > self._enter))
        self._in_charge[: len(observation)] = now
        return now


class PersonGate:
    """Gate of an expert that decides itself where it acts."""

    def __init__(self, expert: InCharge) -> None:
        self._expert = expert

    def __call__(self, observation: Observation, rng: Generator) -> Array:
        """Returns where the expert acts, (n,) bool."""
        return self._expert.in_charge(observation)


class PolicyGate:
    """Gate from a policy whose action 1 selects the expert."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __call__(self, observation: Observation, rng: Generator) -> Array:
        """Returns where the expert acts, (n,) bool."""
        return np.asarray(self._policy.act(observation, rng).actions == 1)
