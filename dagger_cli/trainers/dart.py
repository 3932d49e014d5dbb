"""DART: disturbances for augmenting robot trajectories (Laskey et al. 2017, Alg. 1).

The expert acts in every round with noise added to its actions, at the level of the learner's
errors; the label is the expert's action without noise. The data thus contain recoveries, although
the learner never acts. The first round has no learner and no noise.

The noise is fitted to the learner's mean squared error on the last round's labels; `scale`
multiplies the covariance. Discrete actions, which the paper does not treat, are replaced by random
ones at the learner's error rate.

Differs from the paper: the covariance is not rescaled to a guess of the final error (its alpha) but
by `scale`. The expert's action and its label are one query, counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Usage
from dagger_cli.core.values import in_range
from dagger_cli.loop.noise import NoisyPolicy, error_covariance
from dagger_cli.loop.rollout import label, rollout


@dataclass(frozen=True)
class DART:
    """`scale` > 0 multiplies the fitted covariance."""

    scale: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        in_range("trainer.scale", self.scale, "(0, inf)", 1)

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Rolls out the expert with noise; fits the learner on all rounds."""
        actor = self._actor(state, kit)
        visited = rollout(kit, actor, kit.budget.steps(state.round))
        data = kit.aggregate(state.data, label(kit, visited))
        policy, loss = kit.fit(data, state.policy)
        level = float(actor.covariance.trace()) if isinstance(actor, NoisyPolicy) else 0.0
        metrics = {"train/loss": loss, "train/noise": level}
        return state.next(policy, data, Usage(len(visited), len(visited)), metrics)

    def _actor(self, state: State, kit: Kit) -> Policy:
        if state.policy is None or state.data is None:
            return kit.expert
        last, space = state.data.newest, kit.env.action_space
        errors = state.policy.act(last.observation, kit.rng.actor).actions
        covariance = self.scale * error_covariance(space, errors, last.labels)
        return NoisyPolicy(kit.expert, space, covariance)

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
