"""`policy=ridge`: linear ridge regression, solved in closed form, for Box actions.

Minimizes (1 / N) * the sum over rows of |w x + b - y|^2, plus lambda / 2 * |w|^2, for x the raw
observation and y the action in units of half its range; the intercept b is not penalized (Ross,
Gordon & Bagnell 2011, section 5.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.types import Acts, Array, Fitted, Observation, Policy, Space
from dagger_cli.core.values import in_range
from dagger_cli.policies.normal_equations import NormalEquations, blocks

if TYPE_CHECKING:
    from torch import nn

MOST_FEATURES = 20_000  # the normal equations are a square of so many float64: 3 GB


@dataclass(frozen=True, eq=False)
class RidgePolicy:
    """Policy with `weights` (d + 1, k) float64, the intercept in the last row."""

    weights: Array
    actions: Space

    def outputs(self, obs: Array) -> Array:
        """Returns actions in units of half their range, (n, k) float64, not clipped."""
        return _outputs((self,), np.zeros(len(obs), np.int64), obs)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns actions within their bounds; deterministic, `rng` is not used."""
        actions = self._actions(self.outputs(observation.obs))
        return Acts(actions, np.zeros(len(observation), bool))

    def joins(self) -> bool:
        """Returns True: a mixture of such policies acts in one pass."""
        return True

    def act_for(
        self, members: Sequence[RidgePolicy], chosen: Array, observation: Observation
    ) -> Array:
        """Returns actions (n, *action_shape); row i is `members[chosen[i]]`'s."""
        return self._actions(_outputs(tuple(members), chosen, observation.obs))

    def _actions(self, outputs: Array) -> Array:
        _, centre, half = self.actions.centre_and_half()
        low, high = np.asarray(self.actions.low), np.asarray(self.actions.high)
        inside = np.minimum(np.maximum(outputs * half + centre, low), high)
        return self.actions.cast(inside).reshape(-1, *self.actions.shape)

    def as_module(self) -> nn.Module:
        """Returns the policy as a torch module, for export."""
        from dagger_cli.networks.exported import Exported
        from dagger_cli.policies.ridge_module import ClippedModule, LinearModule

        return Exported(LinearModule(self.weights), ClippedModule(self.actions))


def _outputs(members: tuple[RidgePolicy, ...], chosen: Array, obs: Array) -> Array:
    from dagger_cli.policies.ridge_kernels import products

    rows = np.ascontiguousarray(obs.reshape(len(obs), -1))
    return products(rows, _stacked(members), chosen)


@lru_cache(maxsize=4)  # called at every step
def _stacked(members: tuple[RidgePolicy, ...]) -> Array:
    """Returns the weights of all members, (members, d + 1, k)."""
    return np.stack([member.weights for member in members])


@dataclass(frozen=True, kw_only=True)
class RidgeLearner:
    """Learner of `RidgePolicy`; a fit depends on its rows alone."""

    observations: Space
    actions: Space
    regularization: float
    _equations: NormalEquations = field(init=False, repr=False, compare=False)

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
        object.__setattr__(self, "_equations", NormalEquations(self.actions))

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Solves for the weights; the loss is the mean squared error."""
        d, sums = self.observations.size, self._equations.sums(data)
        means = sums / len(data)
        mean_x, mean_y = means[d, :d], means[d, d + 1 :]
        covariance = means[:d, :d] - np.outer(mean_x, mean_x)
        covariance[np.diag_indices(d)] += self.regularization / 2
        shared = means[:d, d + 1 :] - np.outer(mean_x, mean_y)
        try:
            slopes = np.linalg.solve(covariance, shared)
        except np.linalg.LinAlgError as err:
            raise ConfigError(
                f"the equations of policy=ridge have no solution with policy.regularization="
                f"{self.regularization}: the observations are too large for it; try a larger one"
            ) from err
        policy = self._policy(np.concatenate([slopes, [mean_y - mean_x @ slopes]]))
        return Fitted(policy, self.loss(policy, data))

    def fit_members(
        self, data: Dataset, starts: Sequence[Policy | None], rng: Generator
    ) -> list[Fitted]:
        """Fits one policy per start, each on as many rows drawn with replacement (Breiman 1996).

        On the same rows they would all be the same, as a fit draws nothing.
        """
        draws = [np.sort(rng.integers(len(data), size=len(data))) for _ in starts]
        return [self.fit(data[rows], None, rng) for rows in draws]

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the mean squared error, averaged over the components of an action."""
        assert isinstance(policy, RidgePolicy)
        d, error = self.observations.size, 0.0
        for block in blocks(data, self.actions):
            missed = block[:, : d + 1] @ policy.weights - block[:, d + 1 :]
            error += float((missed**2).mean(1).sum())
        return error / len(data)

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
