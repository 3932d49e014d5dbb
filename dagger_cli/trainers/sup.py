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
from dagger_cli.core.types import Policy
from dagger_cli.loop.rollout import collect


@dataclass(frozen=True)
class Sup:
    """Has no hyper-parameters; `asks_anew`: whether the expert must act or answer in new states."""

    asks_anew: ClassVar[bool] = False
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Rolls out the expert; fits the learner on all rounds."""
        fresh, usage = collect(kit, state.round, kit.expert)
        data = kit.aggregate(state.data, fresh)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {"train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
