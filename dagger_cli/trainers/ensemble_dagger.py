"""EnsembleDAgger (Menda, Driggs-Campbell & Kochenderfer 2019): ask where an ensemble is torn.

The learner is an ensemble fitted on the same rows from different beginnings. It acts by its mean
(Box) or its vote; where its members are further apart than `threshold`, the state is unfamiliar:
there the expert takes over, and only there it is asked.

Differs from the paper: only the spread decides. The paper's second rule, the distance to the
expert's action, needs the expert's answer in every state, which is what is to be saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Ensemble
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, Observation, Policy
from dagger_cli.loop.gating import check_threshold, gather


@dataclass(frozen=True)
class EnsembleDAgger:
    """`size` fits of the learner; `threshold` is a distance between actions in [0, 1)."""

    size: int
    threshold: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("threshold", self.threshold)
        if self.size < 2:
            raise ConfigError(f"trainer.size must be at least 2, got {self.size}; try 5")

    def start(self, kit: Kit) -> State:
        """Nothing learned, nothing collected."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Roll the ensemble out, ask where it is torn, fit every member on all rounds."""
        last = state.policy if isinstance(state.policy, Ensemble) else None

        def torn(observation: Observation, rng: Generator) -> Array:
            assert last is not None
            return last.spread(observation, rng) > self.threshold

        data, usage, metrics = gather(state, kit, torn if last else None)
        starts = last.members if last else (None,) * self.size
        fits = [kit.fit(data, start) for start in starts]
        policy = Ensemble(tuple(fit.policy for fit in fits), kit.env.action_space)
        loss = float(np.mean([fit.loss for fit in fits]))
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest ensemble."""
        return state.policy or kit.expert
