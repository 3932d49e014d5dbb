"""DAgger: Dataset Aggregation (Ross, Gordon & Bagnell 2011, Alg. 3.1).

Every round rolls out beta * expert + (1 - beta) * learner, drawn anew at every step, asks the
expert about every visited state, and fits on everything labelled so far. The paper returns the best
policy on validation; the loop keeps both that one and the newest.

DAgger is Follow-The-Leader on the losses of the rounds, and any no-regret learner may take its
place (section 4): `fit="ogd"` goes on from the last learner on the newest round only, which is
online gradient descent where the learner descends a gradient; `fit="newest"` begins anew on it.

Differs from the paper: a round is a number of env steps, not of whole episodes, and episodes go on
across rounds; before the first fit the expert acts, whatever beta says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import EpisodeMixture, Mixture
from dagger_cli.core.schedules import Schedule, check_schedule
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Spent
from dagger_cli.loop.rollout import label, rollout

COINS: dict[str, type[Mixture] | type[EpisodeMixture]] = {
    "step": Mixture,
    "episode": EpisodeMixture,
}
FITS = ("aggregate", "newest", "ogd")


@dataclass(frozen=True)
class DAgger:
    """`beta` is the probability that the expert acts, round by round.

    `coin` says whether it is tossed for every step or for every episode, `fit` what is fitted on.
    """

    beta: Schedule
    coin: str
    fit: str
    rewinds: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_schedule(self.beta)
        if self.coin not in COINS:
            raise ConfigError(f"trainer.coin must be one of {', '.join(COINS)}; got '{self.coin}'")
        if self.fit not in FITS:
            raise ConfigError(f"trainer.fit must be one of {', '.join(FITS)}; got '{self.fit}'")

    @property
    def aggregates(self) -> bool:
        """Whether the newest learner is fitted on all rounds."""
        return self.fit == "aggregate"

    def start(self, kit: Kit) -> State:
        """Nothing learned, nothing collected."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One iteration of Alg. 3.1."""
        beta = self.beta(kit.progress(state.round, state.spent))
        actor = COINS[self.coin]((kit.expert, state.policy or kit.expert), (beta, 1 - beta))
        visited = rollout(kit, actor, kit.budget.steps(state.round))
        data = kit.aggregate(state.data, label(kit, visited))
        rows = data if self.fit == "aggregate" else data.newest
        policy, loss = kit.fit(rows, None if self.fit == "newest" else state.policy)
        spent = Spent(len(visited), len(visited))
        return state.next(policy, data, spent, {"train/beta": beta, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest learner, without the expert."""
        return state.policy or kit.expert
