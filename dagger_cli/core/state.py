"""The state of a run: an immutable value that a trainer's step takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Policy, Usage


@dataclass(frozen=True)
class State:
    """After `round` rounds: the policy to continue from, its data and the budget used.

    `policy` is None before the first fit, where every trainer acts with the expert. `metrics` are
    the last round's scalars under the names they are logged with.
    """

    round: int = 0
    policy: Policy | None = None
    data: Dataset | None = None
    usage: Usage = field(default_factory=Usage)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def next(
        self,
        policy: Policy | None,
        data: Dataset | None,
        usage: Usage,
        metrics: Mapping[str, float],
    ) -> State:
        """Returns the state after one more round; `usage` and `metrics` are that round's own."""
        total = self.usage.plus(usage.env_steps, usage.labels)
        return State(self.round + 1, policy, data, total, metrics)
