"""`policy=ridge`: linear ridge regression, solved in closed form, for Box actions.

Minimizes (1 / N) * the sum over rows of |w x + b - y|^2, plus lambda / 2 * |w|^2, for x the raw
observation and y the action in units of half its range; the intercept b is not penalized (Ross,
Gordon & Bagnell 2011, section 5.1). The normal equations are summed in float64 round by round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.types import Acts, Array, Fitted, Observation, Policy, Space
from dagger_cli.core.values import in_range

if TYPE_CHECKING:
    from torch import nn

ROWS = 4096  # converted to float64 at a time
MOST_FEATURES = 20_000  # the normal equations are a square of so many float64: 3 GB


@dataclass(frozen=True)
class RidgePolicy:
    """Policy with `weights` (d + 1, k) float64, the intercept in the last row."""

    weights: Array
    actions: Space

    def outputs(self, obs: Array) -> Array:
        """Returns actions in units of half their range, (n, k) float64, not clipped."""
        from dagger_cli.policies.ridge_kernels import products

        return products(np.ascontiguousarray(obs.reshape(len(obs), -1)), self.weights)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns actions within their bounds; deterministic, `rng` is not used."""
        _, centre, half = self.actions.centre_and_half()
        raw = self.outputs(observation.obs) * half + centre
        inside = np.clip(raw, np.asarray(self.actions.low), np.asarray(self.actions.high))
        actions = self.actions.cast(inside).reshape(-1, *self.actions.shape)
        return Acts(actions, np.zeros(len(observation), bool))

    def as_module(self) -> nn.Module:
        """Returns the policy as a torch module, for export."""
        from dagger_cli.networks.exported import Exported
        from dagger_cli.policies.ridge_module import ClippedModule, LinearModule

        return Exported(LinearModule(self.weights), ClippedModule(self.actions))


@dataclass(frozen=True, kw_only=True)
class RidgeLearner:
    """Learner of `RidgePolicy`; a fit depends on its rows alone."""

    observations: Space
    actions: Space
    regularization: float

    def __post_init__(self) -> None:
        if self.actions.kind != "box":
            raise ConfigError(
                f"policy=ridge needs Box actions, but the actions here are {self.actions.kind}; "
                "use policy=svm or policy=linear"
            )
        if self.observations.kind != "box":
            raise ConfigError(
                f"policy=ridge needs Box observations, but they are {self.observations.kind}; use "
                "policy=linear"
            )
        if self.observations.size > MOST_FEATURES:
            raise ConfigError(
                f"policy=ridge solves equations for at most {MOST_FEATURES:,} numbers per "
                f"observation, but there are {self.observations.size:,}; use policy=linear or cnn"
            )
        in_range("policy.regularization", self.regularization, "(0, inf)", 1e-3)

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Solves for the weights; the loss is the mean squared error, weighted like the rows."""
        d, k = self.observations.size, self.actions.size
        sums = np.zeros((d + 1 + k, d + 1 + k))
        for block in self._blocks(data):
            sums += block.T @ block
        total = sums[d, d]  # the sum of the rows' weights
        mean_x, mean_y = sums[d, :d] / total, sums[d, d + 1 :] / total
        covariance = sums[:d, :d] / total - np.outer(mean_x, mean_x)
        covariance[np.diag_indices(d)] += self.regularization / 2
        shared = sums[:d, d + 1 :] / total - np.outer(mean_x, mean_y)
        slopes = np.linalg.solve(covariance, shared)
        policy = self._policy(np.concatenate([slopes, [mean_y - mean_x @ slopes]]))
        return Fitted(policy, self.loss(policy, data))

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the mean squared error, averaged over the components of an action."""
        assert isinstance(policy, RidgePolicy)
        d = self.observations.size
        error, total = 0.0, 0.0
        for block in self._blocks(data):
            missed = block[:, : d + 1] @ policy.weights - block[:, d + 1 :]
            error += float((missed**2).mean(1).sum())
            total += float((block[:, d] ** 2).sum())
        return error / total

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns the weights as the array `weights`."""
        assert isinstance(policy, RidgePolicy)
        return {"weights": policy.weights}

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Returns the policy; raises CheckpointError where the weights do not fit."""
        weights, shape = arrays.get("weights"), (self.observations.size + 1, self.actions.size)
        if set(arrays) != {"weights"} or weights is None or weights.shape != shape:
            raise CheckpointError(
                "the policy in this checkpoint has another shape than its config says: "
                "the files do not belong together"
            )
        if weights.dtype != np.float64 or not np.isfinite(weights).all():
            raise CheckpointError("the policy in this checkpoint has weights that are not finite")
        return self._policy(np.array(weights))

    def _policy(self, weights: Array) -> RidgePolicy:
        return RidgePolicy(np.ascontiguousarray(weights), self.actions)

    def _blocks(self, data: Dataset) -> Iterator[Array]:
        """Yields (n, d + 1 + k) float64: observation, 1, action, times the root of the weight."""
        _, centre, half = self.actions.centre_and_half()
        for begin in range(0, len(data), ROWS):
            here = slice(begin, min(begin + ROWS, len(data)))
            n = here.stop - begin
            x = data.obs[here].reshape(n, -1).astype(np.float64)
            y = (data.labels[here].reshape(n, -1).astype(np.float64) - centre) / half
            block = np.concatenate([x, np.ones((n, 1)), y], axis=1)
            if data.weights is not None:
                block *= np.sqrt(data.weights[here].astype(np.float64))[:, None]
            yield block
