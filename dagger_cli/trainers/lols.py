"""LOLS: locally optimal learning to search (Chang, Krishnamurthy, Agarwal, Daume & Langford 2015).

Every round rolls in with the learner alone, tries actions in some of the visited states, and rolls
out with the expert or, as often as `mix` does not say so, the learner itself: one of the two for a
whole roll-out (Alg. 1). With a poor expert the learner's own roll-outs let it become better than
the expert; with a good one the expert's keep it from a local optimum of its own making.

Differs from the paper: a batch learner on everything so far, where the paper updates online; costs
reach it as importance weights of the cheapest action; a roll-out ends after `tries.horizon` steps,
and the same one of the two plays those of all actions in a state, where the paper draws for each
action; the first round, before there is a learner, is the expert's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.loop.cost_to_go import CostRollouts, Follow, cost_examples


@dataclass(frozen=True)
class LOLS:
    """`mix` in [0, 1] is the probability that the expert plays a roll-out."""

    mix: float
    cost_rollouts: CostRollouts
    needs_state_restore: ClassVar[bool] = True
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.mix <= 1:
            raise ConfigError(f"trainer.mix must be in [0, 1], got {self.mix}; try 0.5")

    def start(self, kit: Kit) -> State:
        """Nothing learned, nothing collected."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One round of Alg. 1 over a batch of states."""
        learner = state.policy or kit.expert
        follow = Follow((kit.expert, learner), (self.mix, 1 - self.mix), once=True)
        free = learner is not kit.expert
        fresh, usage = cost_examples(
            kit, self.cost_rollouts, state.round, learner, learner, follow, free=free
        )
        data = kit.aggregate(state.data, fresh)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {"train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest learner."""
        return state.policy or kit.expert
