"""SafeDAgger (Zhang & Cho 2017, Alg. 1): a second network learns where the learner is unsafe.

A state is unsafe where the learner's action is more than `threshold` from the expert's. From all
labelled states a safety policy learns to tell; in the next round the expert takes over, and is
asked, where it says unsafe.

Differs from the paper, which keeps some labelled states from the learner and tells from those where
it is unsafe: here every state is judged by a learner fitted on the other half of them, and no label
is kept back. Unsafe states together count as much as safe ones, as there are few. The safety policy
is fitted anew every round and is the learner's kind of network on the same observations, not a
layer on top of the learner's.
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
from dagger_cli.core.types import Array, Observation, Policy, Space
from dagger_cli.loop.gating import Answers, check_threshold, gather

BLOCK = 64  # rows at most; neighbours are steps of the same episodes and nearly alike
SAFE_OR_NOT = Space("discrete", (), "int64", sizes=(2,))


@dataclass(frozen=True)
class SafeDAgger:
    """`threshold` is a distance between actions in [0, 1)."""

    threshold: float
    needs_state_restore: ClassVar[bool] = False
    fits_on_aggregate: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("threshold", self.threshold)

    def start(self, kit: Kit) -> State:
        """Nothing learned; raises ConfigError where the policy cannot be a safety policy, too."""
        assert kit.learner_for is not None
        try:
            kit.learner_for(SAFE_OR_NOT)
        except ConfigError as err:
            raise ConfigError(
                "trainer=safe_dagger learns a second policy that answers safe or not, and this one "
                f"cannot: {err}"
            ) from err
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One iteration of Alg. 1."""
        gate = Answers(self._safety(state, kit)) if state.policy else None
        data, usage, metrics = gather(state, kit, gate)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, usage, {**metrics, "train/loss": loss})

    def _safety(self, state: State, kit: Kit) -> Policy:
        """Answers 1 where the learner is unsafe."""
        data, rng = state.data, kit.rng.learner
        assert data is not None and kit.learner_for is not None
        unsafe = self._unsafe(data, kit)
        # Else it must be likelier unsafe than not, and where the learner is good, hardly any is.
        weights = np.where(unsafe, (~unsafe).sum(), unsafe.sum()).astype(np.float32)
        answers = Dataset(data.obs, data.steps, unsafe.astype(np.int64), (len(data),), weights)
        with kit.clock("fit"):
            return kit.learner_for(SAFE_OR_NOT).fit(resampled(answers, rng), None, rng).policy

    def _unsafe(self, data: Dataset, kit: Kit) -> Array:
        """(N,) bool: where a learner that has not seen the row, nor its neighbours, is far off."""
        block = min(BLOCK, max(1, len(data) // 4))
        half = np.arange(len(data)) // block % 2 == 0
        unsafe = np.zeros(len(data), bool)
        for seen in (half, ~half) if len(data) > 1 else ():
            learner, unseen = kit.fit(data[seen], None).policy, data[~seen]
            own = learner.act(Observation(unseen.obs, unseen.steps), kit.rng.actor).actions
            gaps = distance(kit.env.action_space, own, unseen.labels)
            unsafe[~seen] = gaps > self.threshold
        return unsafe

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest learner."""
        return state.policy or kit.expert
