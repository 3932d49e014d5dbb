"""Validation of a policy: its score, and its disagreement with the expert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from dagger_cli.core.past import joined
from dagger_cli.core.policies import distance
from dagger_cli.core.types import Acts, Array, Env, Expert, Observation, Policy, Score
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.loop.regret import EXPERT_GAP, OWN_GAP


class Validated(NamedTuple):
    """The score, and further metrics under their names in the log."""

    score: Score
    metrics: dict[str, float]


class Validation:
    """Runs a policy on `seeds` in `env`, with the same random stream every time.

    In `queries` evenly spaced states of these episodes (up to twice as many) the expert's actions
    are compared, and the policy's in as many states of the expert's own episodes; 0 disables both.
    These queries are not used for training and are counted separately, like all of evaluation.
    """

    def __init__(
        self, env: Env, expert: Expert, seeds: Sequence[int], seed: int, queries: int
    ) -> None:
        self._env, self._expert, self._seeds, self._queries = env, expert, seeds, queries
        self._seed = seed
        self._on_path: Sampled | None = None

    def __call__(self, policy: Policy) -> Validated:
        """Validates one policy."""
        if not self._queries:
            return Validated(self._play(policy), {})
        if self._on_path is None:
            self._on_path = Sampled(self._expert, self._queries)
            self._play(self._on_path)
        sampled = Sampled(policy, self._queries)
        score = self._play(sampled)
        observation, actions = sampled.rows()
        labels = self._expert.act(observation, self._rng()).actions
        path, answers = self._on_path.rows()
        imitated = policy.act(path, self._rng()).actions
        space = self._env.action_space
        metrics = {
            OWN_GAP: float(distance(space, actions, labels).mean()),
            EXPERT_GAP: float(distance(space, imitated, answers).mean()),
        }
        return Validated(score, metrics)

    def _play(self, policy: Policy) -> Score:
        return evaluate(self._env, policy, self._seeds, self._rng())

    def _rng(self) -> Generator:
        return np.random.default_rng(self._seed)


class Sampled:
    """Policy wrapper that records `most` evenly spaced states, or up to twice as many."""

    def __init__(self, policy: Policy, most: int) -> None:
        self._policy, self._most = policy, most
        self._parts: list[tuple[Observation, Array]] = []
        self._seen, self._stride = 0, 1

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts like the policy, and records some of the states."""
        acts = self._policy.act(observation, rng)
        first = -self._seen % self._stride
        kept = np.arange(first, len(observation), self._stride)
        if kept.size:
            self._parts.append((observation[kept], acts.actions[kept]))
        self._seen += len(observation)
        if sum(len(part) for part, _ in self._parts) >= 2 * self._most:
            self._parts, self._stride = [self._every_second()], 2 * self._stride
        return acts

    def rows(self) -> tuple[Observation, Array]:
        """Returns the recorded observations and the actions taken there, both (n, ...)."""
        observations, actions = zip(*self._parts, strict=True)
        first = observations[0]
        seen = [v.privileged for v in observations if v.privileged is not None]
        pasts = [v.past for v in observations if v.past is not None]
        together = Observation(
            np.concatenate([v.obs for v in observations]),
            np.concatenate([v.t for v in observations]),
            np.concatenate(seen) if first.privileged is not None else None,
            joined(pasts) if pasts else None,
        )
        return together, np.concatenate(actions)

    def _every_second(self) -> tuple[Observation, Array]:
        observation, actions = self.rows()
        return observation[::2], actions[::2]
