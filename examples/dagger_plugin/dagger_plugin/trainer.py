"""A trainer: DAgger that rolls out the student alone and labels every second visited state."""

from dataclasses import dataclass

import numpy as np

from dagger_cli import ConfigError, Kit, Mixture, Schedule, State, Usage, label, rollout


@dataclass(frozen=True)
class LazyDAgger:
    """`every`: one of so many visited states is labelled."""

    beta: Schedule
    every: int

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ConfigError(f"trainer.every must be at least 1, got {self.every}")

    def step(self, state: State, kit: Kit) -> State:
        """Runs one round."""
        beta = self.beta(kit.progress(state.round, state.usage))
        actor = Mixture((kit.expert, state.policy or kit.expert), (beta, 1 - beta))
        visited = rollout(kit, actor, kit.budget.steps(state.round))
        chosen = np.arange(len(visited)) % self.every == 0
        fresh = label(kit, visited, where=chosen)
        data = kit.aggregate(state.data, fresh)
        policy, loss = kit.fit(data, state.policy)
        metrics = {"train/beta": beta, "train/loss": loss}
        return state.next(policy, data, Usage(len(visited), len(fresh)), metrics)
