"""Roll-in by the expert up to a step drawn per episode, as AggreVaTe draws its switch."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Acts, Array, Observation, Policy


class UniformRollIn:
    """Lets the expert act up to a step drawn uniformly from 0..horizon, and `after` from there on.

    Rows must be all slots in order, as in `rollout`. Episodes already running at construction draw
    their step at the first call. Stateful: holds the step of each slot, within one round.
    """

    def __init__(self, expert: Policy, after: Policy, horizon: int) -> None:
        self._expert, self._after, self._horizon = expert, after, horizon
        self._switch: Array = np.empty(0, np.int64)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in every row with the policy of its step; each gets its rows as one batch."""
        taken = observation.t >= self._switches(observation, rng)
        if taken.all() or not taken.any():
            return (self._after if taken.all() else self._expert).act(observation, rng)
        parts = (np.flatnonzero(~taken), self._expert), (np.flatnonzero(taken), self._after)
        acts = [policy.act(observation[rows], rng) for rows, policy in parts]
        order = np.argsort(np.concatenate([rows for rows, _ in parts]))
        return Acts(
            np.concatenate([part.actions for part in acts])[order],
            np.concatenate([part.from_expert for part in acts])[order],
        )

    def _switches(self, observation: Observation, rng: Generator) -> Array:
        """Returns the step of each row's episode from which on `after` acts, (n,) int."""
        n = len(observation)
        if len(self._switch) < n:
            unknown = n - len(self._switch)
            drawn = rng.integers(0, self._horizon + 1, unknown)
            self._switch = np.concatenate([self._switch, drawn])
            fresh = observation.t[: n - unknown] == 0
        else:
            fresh = observation.t == 0
        if fresh.any():
            at = np.flatnonzero(fresh)
            self._switch[at] = rng.integers(0, self._horizon + 1, at.size)
        return self._switch[:n]
