"""SafeDAgger (Zhang & Cho 2017, Alg. 1): a safety policy predicts where the learner is unsafe.

A state is unsafe where the learner's action is more than `threshold` from the expert's. The safety
policy is fitted on all labelled states; in the next round the expert acts, and labels, where it
predicts unsafe.

Differs from the paper, which holds out some labelled states from the learner and fits the safety
policy on them: here every state is classified by a learner fitted on the other half of them, and no
label is held out. Safe and unsafe states get the same total weight, as unsafe ones are few. The
safety policy is fitted from scratch every round, with the learner's network on the same
observations, not a layer on top of the learner's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dagger_cli.core.dataset import Dataset, resampled
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Array, Policy, Space
from dagger_cli.loop.gating import PolicyGate, check_threshold, gather

BLOCK = 64  # rows at most; adjacent rows are steps of the same episodes and nearly equal
SAFE_OR_NOT = Space("discrete", (), "int64", sizes=(2,))


@dataclass(frozen=True)
class SafeDAgger:
    """`threshold` is an action distance in [0, 1)."""

    threshold: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("threshold", self.threshold)

    def start(self, kit: Kit) -> State:
        """Returns the initial state; raises ConfigError where no safety policy can be made."""
        assert kit.learner_for is not None
        try:
            kit.learner_for(SAFE_OR_NOT)
        except ConfigError as err:
            raise ConfigError(
                "trainer=safe_dagger fits a second policy with the two actions safe and unsafe, "
                f"which this one does not support: {err}"
            ) from err
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """Runs one iteration of Alg. 1."""
        gate = PolicyGate(self._safety(state, kit)) if state.policy else None
        data, usage, metrics = gather(state, kit, gate)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def _safety(self, state: State, kit: Kit) -> Policy:
        """Fits the safety policy; its action 1 means that the learner is unsafe."""
        data, rng = state.data, kit.rng.learner
        assert data is not None and kit.learner_for is not None
        unsafe = self._unsafe(data, kit)
        # Unweighted, P(unsafe) rarely exceeds 1/2 where the learner is good.
        weights = np.where(unsafe, (~unsafe).sum(), unsafe.sum()).astype(np.float32)
        answers = Dataset(data.stored, data.steps, unsafe.astype(np.int64), (len(data),), weights)
        with kit.clock("fit"):
            return kit.learner_for(SAFE_OR_NOT).fit(resampled(answers, rng), None, rng).policy

    def _unsafe(self, data: Dataset, kit: Kit) -> Array:
        """Returns (N,) bool: unsafe for a learner fitted without the row and its neighbours."""
        block = min(BLOCK, max(1, len(data) // 4))
        half = np.arange(len(data)) // block % 2 == 0
        unsafe = np.zeros(len(data), bool)
        for seen in (half, ~half) if len(data) > 1 else ():
            learner, unseen = kit.fit(data[seen], None).policy, data[~seen]
            own = learner.act(unseen.observation, kit.rng.actor).actions
            gaps = distance(kit.env.action_space, own, unseen.labels)
            unsafe[~seen] = gaps > self.threshold
        return unsafe

    def deploy(self, state: State, kit: Kit) -> Policy:
        """Returns the latest learner."""
        return state.policy or kit.expert
