"""Noise injection into the expert's actions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Acts, Array, Observation, Policy, Space


@dataclass(frozen=True)
class NoisyPolicy:
    """Adds noise to the actions of `policy`; they no longer count as the expert's.

    Box: Gaussian noise with `covariance` (D, D) over the D components, clipped to the bounds.
    Otherwise: each component is replaced by a random choice with probability `covariance[0, 0]`.
    """

    policy: Policy
    space: Space
    covariance: Array

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the policy's actions with noise."""
        actions = self.policy.act(observation, rng).actions
        noisy = self._shifted if self.space.kind == "box" else self._replaced
        return Acts(noisy(actions, rng), np.zeros(len(observation), bool))

    def _shifted(self, actions: Array, rng: Generator) -> Array:
        space, n = self.space, len(actions)
        noise = rng.multivariate_normal(np.zeros(space.size), self.covariance, n, method="cholesky")
        moved = actions.reshape(n, -1) + noise
        return space.cast(np.clip(moved, space.low, space.high)).reshape(actions.shape)

    def _replaced(self, actions: Array, rng: Generator) -> Array:
        space, flat = self.space, actions.reshape(len(actions), -1)
        draws = space.start + rng.integers(0, np.asarray(space.sizes), size=flat.shape)
        there = rng.random(flat.shape) < self.covariance[0, 0]
        return np.where(there, draws, flat).astype(space.dtype).reshape(actions.shape)


def error_covariance(space: Space, actions: Array, labels: Array) -> Array:
    """Returns the second moment of the learner's errors, (D, D), or (1, 1) an error rate."""
    n = len(actions)
    if space.kind != "box":
        return np.full((1, 1), float((actions != labels).mean()))
    gaps = (actions.astype(np.float64) - labels).reshape(n, -1)
    covariance = gaps.T @ gaps / n
    # A small diagonal keeps the Cholesky factorization exact where a component is never wrong.
    little = 1e-12 * max(1.0, float(np.trace(covariance)))
    return np.asarray(covariance + little * np.eye(space.size))
