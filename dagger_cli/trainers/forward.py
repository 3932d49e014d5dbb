"""Forward training (Ross & Bagnell 2010, Alg. 3.1): one policy for every time step.

Round i rolls out the policies learned for the earlier steps, labels the states reached at step i,
and fits the policy of step i on those alone. Each policy is trained on exactly the states that the
final policy visits, so its cost grows with the horizon and not with its square.

Differs from the paper: a policy may be for a slot of k steps, within which the expert continues to
act, as in all steps not yet learned; k=1 is the paper. A round's share of the budget is the most
labels it takes; it takes i + 1 times as many env steps, counted separately.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import NonStationaryPolicy
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Usage
from dagger_cli.core.values import at_least
from dagger_cli.loop.rollout import begin, label, rollout


@dataclass(frozen=True)
class Forward:
    """`slot` is k, None for as many steps as the rounds need to cover the horizon.

    `horizon` is the length of an episode in steps, None for the environment's own limit.
    """

    slot: int | None
    horizon: int | None
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for key in ("slot", "horizon"):
            value = getattr(self, key)
            if value is not None:
                at_least(f"trainer.{key}", value, 1)

    def start(self, kit: Kit) -> State:
        """Returns the initial state, in which the expert acts in every step."""
        self._slot(kit)
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of Alg. 3.1: rolls in to slot i and fits its policy."""
        k, i = self._slot(kit), state.round
        share = kit.budget.steps(i)
        slots = self._learned(state, k)
        begin(kit)
        actor = NonStationaryPolicy((*slots, kit.expert), k)
        n_steps = share * (i + 1)
        # Every slot of the environment that is used reaches the end of slot i at least once.
        n_slots = min(kit.env.n_envs, share // k)
        visited = rollout(kit, actor, n_steps, until=(i + 1) * k, n_slots=n_slots)
        reached = visited.observations.t // k == i
        fresh = label(kit, visited, where=reached)
        data = kit.aggregate(state.data, fresh)
        metrics = {"train/slot": float(i), "train/reached": float(len(fresh))}
        policy = slots[-1] if slots else kit.expert
        if len(fresh):
            policy, metrics["train/loss"] = kit.fit(data.newest, slots[-1] if slots else None)
        elif not slots:
            raise ConfigError("no episode reached its first step: the environment ends at once")
        return state.next(
            NonStationaryPolicy((*slots, policy), k), data, Usage(n_steps, len(fresh)), metrics
        )

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the policies per step; the last one acts in all later steps."""
        return state.policy or kit.expert

    def _learned(self, state: State, k: int) -> tuple[Policy, ...]:
        """Returns the policies so far; raises ConfigError where a resumed run has another k."""
        if not isinstance(state.policy, NonStationaryPolicy):
            return ()
        if state.policy.k != k:
            raise ConfigError(
                f"this run has learned a policy for every {state.policy.k} steps, but its rounds "
                f"now give one for every {k}: resume it with its first rounds and trainer.slot"
            )
        return state.policy.members

    def _slot(self, kit: Kit) -> int:
        """Returns k; raises ConfigError, with the numbers, where the budget is too small for it."""
        horizon, rounds = self.horizon or kit.horizon, kit.budget.rounds
        if horizon is None:
            raise ConfigError(
                "this environment has no step limit, but forward training learns a policy for "
                "every step: set trainer.horizon=... (or env.max_episode_steps=...)"
            )
        k = self.slot or math.ceil(horizon / rounds)
        if k * rounds < horizon:
            raise ConfigError(
                f"episodes have up to {horizon} steps, but rounds={rounds} slots of {k} cover only "
                f"{k * rounds}: set rounds={math.ceil(horizon / k)} or "
                f"trainer.slot={math.ceil(horizon / rounds)}"
            )
        share = kit.budget.steps(rounds - 1)
        if share < k:
            raise ConfigError(
                f"a slot of {k} steps needs {k} labels a round, but a round has {share}: "
                f"give labels={k * rounds} or more, or more rounds"
            )
        return k
