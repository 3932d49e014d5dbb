"""Forward training (Ross & Bagnell 2010, Alg. 3.1): one policy for every time step.

Round i rolls out the policies learned for the earlier steps, asks the expert about the states
reached at step i, and fits the policy of step i on those alone. Each is trained on exactly the
states that the final policy visits, so its cost grows with the horizon and not with its square.

Differs from the paper: a policy may be for a slot of k steps, within which the expert goes on
acting as it does in all steps not yet learned; k=1 is the paper. What an expert must answer is a
round's share of the budget; env steps are counted apart, at most i + 1 times as many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.dataset import aggregate
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import PerStep
from dagger_cli.core.rollout import begin, label, rollout
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Spent


@dataclass(frozen=True)
class Forward:
    """`slot` is k, None for as many steps as the rounds need to cover the horizon.

    `horizon` is the length of an episode in steps, None for the environment's own limit.
    """

    slot: int | None
    horizon: int | None
    rewinds: ClassVar[bool] = False
    aggregates: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for key in ("slot", "horizon"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ConfigError(f"trainer.{key} must be at least 1, got {value}")

    def start(self, kit: Kit) -> State:
        """Nothing learned: the expert acts in every step."""
        self._slot(kit)
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One iteration of Alg. 3.1: roll in to slot i, learn it."""
        k, i = self._slot(kit), state.round
        slots = state.policy.members if isinstance(state.policy, PerStep) else ()
        begin(kit)
        actor = PerStep((*slots, kit.expert), k)
        n_steps = kit.budget.steps(i) * (i + 1)
        visited = rollout(kit, actor, n_steps, until=(i + 1) * k)
        reached = visited.views.steps // k == i
        fresh = label(kit, visited, where=reached)
        data = aggregate(state.data, fresh, capacity=kit.budget.total)
        facts = {"train/slot": float(i), "train/reached": float(len(fresh))}
        policy = slots[-1] if slots else kit.expert
        if len(fresh):
            policy, facts["train/loss"] = kit.fit(data.newest, slots[-1] if slots else None)
        elif not slots:
            raise ConfigError("no episode reached its first step: the environment ends at once")
        return state.next(PerStep((*slots, policy), k), data, Spent(n_steps, len(fresh)), facts)

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The policies per step; after the last one learned it goes on acting."""
        return state.policy or kit.expert

    def _slot(self, kit: Kit) -> int:
        """k; raises ConfigError, with the numbers, where the budget cannot fill the horizon."""
        horizon, rounds = self.horizon or kit.horizon, kit.budget.rounds
        if horizon is None:
            raise ConfigError(
                "this environment has no limit of steps, but forward training learns a policy for "
                "every step: set trainer.horizon=... (or env.max_episode_steps=...)"
            )
        k = self.slot or math.ceil(horizon / rounds)
        if k * rounds < horizon:
            raise ConfigError(
                f"episodes have up to {horizon} steps, but rounds={rounds} slots of {k} cover only "
                f"{k * rounds}: set rounds={math.ceil(horizon / k)} or "
                f"trainer.slot={math.ceil(horizon / rounds)}"
            )
        return k
