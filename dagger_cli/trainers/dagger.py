"""DAgger: Dataset Aggregation (Ross, Gordon & Bagnell 2011, Alg. 3.1).

Every round rolls out beta * expert + (1 - beta) * learner, drawn anew at every step, asks the
expert about every visited state, and fits on everything labelled so far. The paper returns the best
policy on validation; the loop keeps both that one and the newest.

Differs from the paper: a round is a number of env steps, not of whole episodes, and episodes go on
across rounds; before the first fit the expert acts, whatever beta says.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagger_cli.core.dataset import aggregate
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Mixture
from dagger_cli.core.rollout import label, rollout
from dagger_cli.core.schedules import Schedule
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy


@dataclass(frozen=True)
class DAgger:
    """`beta` is the probability that the expert acts in a step, round by round."""

    beta: Schedule

    def start(self, kit: Kit) -> State:
        """Nothing learned, nothing collected."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One iteration of Alg. 3.1."""
        beta = self.beta(kit.progress(state.round, state.spent))
        actor = Mixture((kit.expert, state.policy or kit.expert), (beta, 1 - beta))
        visited = rollout(kit, actor, kit.budget.steps(state.round))
        data = aggregate(state.data, label(kit, visited), capacity=kit.budget.total)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, visited, {"train/beta": beta, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest learner, without the expert."""
        return state.policy or kit.expert
