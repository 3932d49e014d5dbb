"""SafeDAgger (Zhang & Cho 2017, Alg. 1): a second network learns where the learner is unsafe.

A state is unsafe where the learner's action is more than `threshold` from the expert's. From all
labelled states a safety policy learns to tell; in the next round the expert takes over, and is
asked, where it says unsafe.

Differs from the paper: the safety policy is fitted anew every round on all labelled states (the
paper keeps a part of them for it alone), and it is the learner's kind of network on the same
observations, not a layer on top of the learner's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.gated import Answers, check_threshold, gather
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import distance
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Space, View

SAFE_OR_NOT = Space("discrete", (), "int64", sizes=(2,))


@dataclass(frozen=True)
class SafeDAgger:
    """`threshold` is a distance between actions in [0, 1)."""

    threshold: float
    rewinds: ClassVar[bool] = False
    aggregates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_threshold("threshold", self.threshold)

    def start(self, kit: Kit) -> State:
        """Nothing learned, nothing collected."""
        return State()

    def step(self, state: State, kit: Kit) -> State:
        """One iteration of Alg. 1."""
        gate = Answers(self._safety(state, kit)) if state.policy else None
        data, spent, facts = gather(state, kit, gate)
        policy, loss = kit.fit(data, state.policy)
        return state.next(policy, data, spent, {**facts, "train/loss": loss})

    def _safety(self, state: State, kit: Kit) -> Policy:
        """Answers 1 where the learner is unsafe."""
        data, learner = state.data, state.policy
        assert data is not None and learner is not None and kit.learner_for is not None
        own = learner.act(View(data.obs, data.steps), kit.rng.actor).actions
        unsafe = distance(kit.env.action_space, own, data.labels) > self.threshold
        answers = Dataset(data.obs, data.steps, unsafe.astype(np.int64), (len(data),))
        with kit.clock("fit"):
            return kit.learner_for(SAFE_OR_NOT).fit(answers, None, kit.rng.learner).policy

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The newest learner."""
        return state.policy or kit.expert
