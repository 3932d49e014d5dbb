"""SEARN: search-based structured prediction (Daume, Langford & Marcu 2009).

Round i rolls out the current mixture, makes cost-sensitive examples of the visited states, fits h_i
on that round alone, and sets pi <- (1 - beta) pi + beta h_i. All older weights shrink, including
the expert's: after N rounds h_j has weight beta (1 - beta)^(N - j). beta = 1 is policy iteration.
The mixture without the expert, renormalized, is deployed.

The cost of an action is the cost of taking it and following the current mixture, minus that of the
cheapest action. `costs="optimal"` is the optimal approximation: the expert completes the episode,
so its own action costs 0 and, as with Hamming loss, all others cost the same; that is
classification of the expert's actions, as in Ross, Gordon & Bagnell 2011 (section 5).
`costs="rollout"` estimates them by cost roll-outs, see loop/cost_to_go.py.

Differs from the paper: costs reach the learner as importance weights of the cheapest action; a
roll-out ends after `cost_rollouts.horizon` steps; of a Box only some actions are evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Mixture, members, without_expert
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.core.values import in_range, one_of
from dagger_cli.loop.cost_to_go import CostRollouts, Examples, Follow, cost_examples
from dagger_cli.loop.rollout import collect

COSTS = ("optimal", "rollout")


def weights(beta: float, n: int) -> tuple[float, ...]:
    """Returns the weights of the expert and h_1 ... h_n, (n + 1,), after n rounds; sum 1."""
    return ((1 - beta) ** n, *(beta * (1 - beta) ** (n - j) for j in range(1, n + 1)))


@dataclass(frozen=True)
class SEARN:
    """`beta` in (0, 1] is the weight of each round's learner.

    `demonstrations`: a data set in place of the first round, in which the expert acts otherwise.
    """

    beta: float
    costs: str
    cost_rollouts: CostRollouts
    demonstrations: str | None = None
    fits_on_aggregate: ClassVar[bool] = False

    def __post_init__(self) -> None:
        in_range("trainer.beta", self.beta, "(0, 1]", 0.4)
        one_of("trainer.costs", self.costs, COSTS)
        if self.demonstrations is not None and self.costs == "rollout":
            raise ConfigError(
                "trainer.demonstrations has no costs of actions, from which trainer.costs=rollout "
                "learns: use trainer.costs=optimal, or trainer=dagger"
            )

    @property
    def needs_state_restore(self) -> bool:
        """Whether costs are estimated by roll-outs from visited states."""
        return self.costs == "rollout"

    def start(self, kit: Kit) -> State:
        """Returns the initial state, in which the policy is the expert."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of figure 2 of the paper."""
        learned = members(state.policy)
        shares = weights(self.beta, len(learned))
        fresh, usage = self._examples(state, kit, Mixture((kit.expert, *learned), shares))
        data = kit.aggregate(state.data, fresh)
        newcomer, loss = kit.fit(data.newest, learned[-1] if learned else None)
        policy = without_expert((*learned, newcomer), weights(self.beta, len(learned) + 1))
        return state.next(policy, data, usage, {"train/beta": shares[0], "train/loss": loss})

    def _examples(self, state: State, kit: Kit, current: Mixture) -> Examples:
        if self.costs == "rollout":
            follow = Follow(current.members, current.weights)
            return cost_examples(kit, self.cost_rollouts, state.round, current, current, follow)
        return Examples(*collect(kit, state.round, current))

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the mixture without the expert."""
        return state.policy or kit.expert
