"""DAgger: Dataset Aggregation (Ross, Gordon & Bagnell 2011, Alg. 3.1).

Every round rolls out beta * expert + (1 - beta) * learner, drawn independently at every step,
labels every visited state with the expert's action, and fits on all labels so far. The paper
returns the best policy on validation; the loop keeps both that one and the latest.

DAgger is Follow-The-Leader on the losses of the rounds, and any no-regret learner can replace it
(section 4): `update="ogd"` continues from the last learner on the latest round only, which is
online gradient descent for a gradient-based learner; `update="latest"` fits that round from
scratch.

Differs from the paper: a round is a number of env steps, not of whole episodes, and episodes
continue across rounds; before the first fit the expert acts, whatever beta is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import EpisodeMixture, Mixture
from dagger_cli.core.roll_in import UniformRollIn
from dagger_cli.core.schedules import Schedule, check_schedule
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy
from dagger_cli.core.values import one_of
from dagger_cli.loop.rollout import collect

MIXTURES: dict[str, type[Mixture] | type[EpisodeMixture]] = {
    "step": Mixture,
    "episode": EpisodeMixture,
}
ROLL_INS = ("none", "uniform")
UPDATES = ("aggregate", "latest", "ogd")


@dataclass(frozen=True)
class DAgger:
    """`beta` is the probability that the expert acts, round by round.

    `mix_per`: the mixture draws per step or per episode; `update`: which rounds are fitted on;
    `roll_in`: `uniform` lets the expert act alone up to a step drawn uniformly per episode;
    `demonstrations`: a data set in place of the first round, in which the expert acts otherwise.
    """

    beta: Schedule
    mix_per: str
    update: str
    roll_in: str = "none"  # of runs before this key
    demonstrations: str | None = None
    needs_state_restore: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_schedule(self.beta)
        one_of("trainer.mix_per", self.mix_per, MIXTURES)
        one_of("trainer.update", self.update, UPDATES)
        one_of("trainer.roll_in", self.roll_in, ROLL_INS)

    @property
    def fits_on_aggregate(self) -> bool:
        """Whether the latest learner is fitted on all rounds."""
        return self.update == "aggregate"

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of Alg. 3.1."""
        beta = self.beta(kit.progress(state.round, state.usage))
        fresh, usage = collect(kit, state.round, self._actor(state, kit, beta))
        data = kit.aggregate(state.data, fresh)
        rows = data if self.update == "aggregate" else data.newest
        policy, loss = kit.fit(rows, None if self.update == "latest" else state.policy)
        return state.next(policy, data, usage, {"train/beta": beta, "train/loss": loss})

    def _actor(self, state: State, kit: Kit, beta: float) -> Policy:
        """Returns the policy of the roll-outs; raises ConfigError without a step limit to draw."""
        actor = MIXTURES[self.mix_per]((kit.expert, state.policy or kit.expert), (beta, 1 - beta))
        if self.roll_in == "none":
            return actor
        if kit.horizon is None:
            raise ConfigError(
                "trainer.roll_in=uniform draws a step below the environment's limit, which this "
                "one lacks: set env.max_episode_steps=1000, or trainer.roll_in=none"
            )
        return UniformRollIn(kit.expert, actor, kit.horizon)

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner, without the expert."""
        return state.policy or kit.expert
