"""EnsembleDAgger (Menda, Driggs-Campbell & Kochenderfer 2019): queries where an ensemble disagrees.

The learner is an ensemble fitted on the same rows from different initializations. It acts with the
mean (Box) or the vote of its members. Where their disagreement exceeds `threshold`, the state is
unfamiliar: only there the expert acts and labels.

Differs from the paper: disagreement is the only rule. The paper's second rule, the distance to the
expert's action, needs an expert query in every state, which the method is meant to avoid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import Ensemble
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, Observation, Policy
from dagger_cli.core.values import at_least
from dagger_cli.loop.gating import check_threshold, gather


@dataclass(frozen=True)
class EnsembleDAgger:
    """`size` fits of the learner; `threshold` is an action distance in [0, 1)."""

    size: int
    threshold: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("threshold", self.threshold)
        at_least("trainer.size", self.size, 2, 5)

    def start(self, kit: Kit) -> State:
        """Returns the initial state."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Rolls out the ensemble, labels where it disagrees, fits every member on all rounds."""
        last = state.policy if isinstance(state.policy, Ensemble) else None

        def disagrees(observation: Observation, rng: Generator) -> Array:
            assert last is not None
            return last.spread(observation, rng) > self.threshold

        data, usage, metrics = gather(state, kit, disagrees if last else None)
        starts = last.members if last else (None,) * self.size
        fits = kit.fit_members(data, starts)
        policy = Ensemble(tuple(fit.policy for fit in fits), kit.env.action_space)
        loss = float(np.mean([fit.loss for fit in fits]))
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest ensemble."""
        return state.policy or kit.expert
