"""Where a run stands: a value that a trainer's step takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Policy, Spent


@dataclass(frozen=True)
class State:
    """After `round` rounds: the policy that the trainer goes on from, its data and what was spent.

    `policy` is None before the first fit, where every reduction follows the expert. `facts` are the
    last round's numbers worth a line in the log, under their names there.
    """

    round: int = 0
    policy: Policy | None = None
    data: Dataset | None = None
    spent: Spent = field(default_factory=Spent)
    facts: Mapping[str, float] = field(default_factory=dict)

    def next(
        self, policy: Policy | None, data: Dataset | None, spent: Spent, facts: Mapping[str, float]
    ) -> State:
        """The state one round later; `spent` is what this round alone used."""
        total = self.spent.plus(spent.env_steps, spent.labels)
        return State(self.round + 1, policy, data, total, facts)
