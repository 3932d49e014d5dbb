"""AggreVaTe: aggregate values to imitate (Ross & Bagnell 2014, Alg. 1).

Like DAgger, but the expert's cost-to-go is imitated instead of its action: every round rolls in
with beta * expert + (1 - beta) * learner, takes actions at random times, completes the roll-outs
with the expert, and fits a cost-sensitive learner on all data so far. A mistake that the expert can
easily recover from thus counts less than one that it cannot.

Differs from the paper: all actions are evaluated in a visited state (some, of a Box), not a single
random one, and costs reach the learner as importance weights of the cheapest; the expert completes
`cost_rollouts.horizon` steps; states where the expert acted in the roll-in are examples too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Mixture
from dagger_cli.core.schedules import Schedule, check_schedule
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.loop.cost_to_go import CostRollouts, Follow, cost_examples


@dataclass(frozen=True)
class AggreVaTe:
    """`beta` is the probability that the expert acts in a step of the roll-in, round by round."""

    beta: Schedule
    cost_rollouts: CostRollouts
    needs_state_restore: ClassVar[bool] = True
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_schedule(self.beta)

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of Alg. 1."""
        beta = self.beta(kit.progress(state.round, state.usage))
        learner = state.policy or kit.expert
        actor = Mixture((kit.expert, learner), (beta, 1 - beta))
        finish = Follow((kit.expert,), (1.0,))
        fresh, usage = cost_examples(kit, self.cost_rollouts, state.round, actor, learner, finish)
        data = kit.aggregate(state.data, fresh)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {"train/beta": beta, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
