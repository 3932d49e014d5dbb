"""Sup: supervised learning on the expert's states, also called behaviour cloning.

The baseline of Ross, Gordon & Bagnell 2011 (section 5): the expert acts in every round, and the
learner is fitted on all labels so far. It never sees the states that its own mistakes lead to, so
its excess cost may grow with the square of the horizon (Ross & Bagnell 2010, Thm. 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Usage
from dagger_cli.loop.rollout import label, rollout


@dataclass(frozen=True)
class Sup:
    """Has no hyper-parameters."""

    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Rolls out the expert; fits the learner on all rounds."""
        visited = rollout(kit, kit.expert, kit.budget.steps(state.round))
        data = kit.aggregate(state.data, label(kit, visited))
        policy, loss = kit.fit(data, state.policy)
        usage = Usage(len(visited), len(visited))
        return state.next(policy, data, usage, {"train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
