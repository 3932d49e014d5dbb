"""Roll-in by the expert up to a step drawn per episode, as AggreVaTe draws its switch."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from dagger_cli.core.policies import act_each
from dagger_cli.core.types import Acts, Array, Observation, Policy


class UniformRollIn:
    """Lets the expert act up to a step drawn uniformly from 0..horizon, and `after` from there on.

    Rows must be all slots in order, as in `rollout`. Episodes already running at construction draw
    their step at the first call. Stateful: holds the step of each slot, within one round.
    """

    def __init__(self, expert: Policy, after: Policy, horizon: int) -> None:
        self._members, self._horizon = (expert, after), horizon
        self._switch: Array = np.empty(0, np.int64)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in every row with the policy of its step; each gets its rows as one batch."""
        n, known = len(observation), len(self._switch)
        fresh = observation.t == 0
        if known < n:
            fresh[known:] = True
            self._switch = np.concatenate([self._switch, np.zeros(n - known, np.int64)])
        self._switch[:n][fresh] = rng.integers(0, self._horizon + 1, int(fresh.sum()))
        return act_each(
            self._members, (observation.t >= self._switch[:n]).astype(int), observation, rng
        )
