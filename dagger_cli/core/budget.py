"""The budget of a run in env steps and, for most trainers, as many expert queries."""

from __future__ import annotations

from dataclasses import dataclass

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import at_least


@dataclass(frozen=True)
class Budget:
    """Either `steps_per_round` env steps in each of `rounds`, or `labels` in total, spread evenly.

    Exactly one of the two is given. Where every visited state is labelled, a round of n env steps
    uses n labels, its whole share. Trainers that query the expert in some states only, or that
    estimate costs by roll-outs, use at most that many.
    """

    rounds: int
    steps_per_round: int | None
    labels: int | None

    def __post_init__(self) -> None:
        at_least("rounds", self.rounds, 1)
        if self.labels is not None and self.steps_per_round is not None:
            raise ConfigError(
                f"labels={self.labels} and steps_per_round={self.steps_per_round} both set the "
                "size of a round; give only one of them"
            )
        if self.labels is None and self.steps_per_round is None:
            raise ConfigError("no budget: give labels=... or steps_per_round=...")
        if self.steps_per_round is not None:
            at_least("steps_per_round", self.steps_per_round, 1)
        if self.labels is not None and self.labels < self.rounds:
            raise ConfigError(
                f"labels={self.labels} cannot fill rounds={self.rounds}: every round needs at "
                f"least one label; try rounds={max(self.labels, 1)} or more labels"
            )

    @property
    def total(self) -> int:
        """Number of labels of the whole run."""
        if self.labels is not None:
            return self.labels
        assert self.steps_per_round is not None
        return self.steps_per_round * self.rounds

    def steps(self, round: int) -> int:
        """Returns the env steps of a round (from 0); the first rounds share the remainder."""
        share, rest = divmod(self.total, self.rounds)
        return share + (round < rest)
