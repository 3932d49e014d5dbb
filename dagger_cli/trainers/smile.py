"""SMILe: Stochastic Mixing Iterative Learning (Ross & Bagnell 2010, Alg. 4.1).

Round i rolls out pi_i = (1 - alpha)^i expert + sum_j alpha (1 - alpha)^(j-1) h_j, one member drawn
at every step, and fits h_{i+1} on the states of that round alone. The new member's weight is taken
from the expert; the weights of earlier members never change. The mixture without the expert,
renormalized by 1 - (1 - alpha)^N, is deployed.

Differs from the paper: alpha and the number of rounds are set by the config, not by the bound; a
new member may warm-start from the one before it (`policy.warm_start`), which the paper leaves open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Mixture, members, without_expert
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.core.values import in_range
from dagger_cli.loop.rollout import collect


def weights(alpha: float, n: int) -> tuple[float, ...]:
    """Returns the weights of the expert and h_1 ... h_n, (n + 1,), after n rounds; sum 1."""
    return ((1 - alpha) ** n, *(alpha * (1 - alpha) ** j for j in range(n)))


@dataclass(frozen=True)
class SMILe:
    """`alpha` in (0, 1] is the fraction of the expert's weight that each round's learner takes.

    `demonstrations`: a data set in place of the first round, in which the expert acts otherwise.
    """

    alpha: float
    demonstrations: str | None = None
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = False

    def __post_init__(self) -> None:
        in_range("trainer.alpha", self.alpha, "(0, 1]", 0.1)

    def start(self, kit: Kit) -> State:
        """Returns the initial state, in which the expert has all the weight."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of Alg. 4.1."""
        learned = members(state.policy)
        shares = weights(self.alpha, len(learned))
        actor = Mixture((kit.expert, *learned), shares)
        fresh, usage = collect(kit, state.round, actor)
        data = kit.aggregate(state.data, fresh)
        newcomer, loss = kit.fit(data.newest, learned[-1] if learned else None)
        policy = without_expert((*learned, newcomer), weights(self.alpha, len(learned) + 1))
        return state.next(policy, data, usage, {"train/beta": shares[0], "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the mixture without the expert."""
        return state.policy or kit.expert
