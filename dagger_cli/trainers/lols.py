"""LOLS: locally optimal learning to search (Chang, Krishnamurthy, Agarwal, Daume & Langford 2015).

Every round rolls in with the learner alone, takes actions in some of the visited states, and rolls
out with the expert (probability `mix`) or the learner, one of them for a whole roll-out (Alg. 1).
With a poor expert the learner's roll-outs allow it to exceed the expert; with a good one the
expert's roll-outs avoid local optima of the learner.

Differs from the paper: a batch learner on all data so far, where the paper updates online; costs
reach it as importance weights of the cheapest action; a roll-out ends after `cost_rollouts.horizon`
steps, and one draw of the roll-out policy serves all actions in a state, where the paper draws for
each action; the first round, before there is a learner, is the expert's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.core.values import in_range
from dagger_cli.loop.cost_to_go import CostRollouts, Follow, cost_examples


@dataclass(frozen=True)
class LOLS:
    """`mix` in [0, 1] is the probability that a roll-out uses the expert."""

    mix: float
    cost_rollouts: CostRollouts
    needs_state_restore: ClassVar[bool] = True
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        in_range("trainer.mix", self.mix, "[0, 1]", 0.5)

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one round of Alg. 1 over a batch of states."""
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
        """Returns the latest learner."""
        return state.policy or kit.expert
