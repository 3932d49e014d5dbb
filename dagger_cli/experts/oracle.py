"""`expert=oracle`: the true label, where the environment has it (`Observation.privileged`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Acts, Card, Expert, Observation, Space


@dataclass(frozen=True)
class Oracle:
    """Oracle without settings."""

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        if action_space.kind != "discrete":
            raise ExpertError(
                f"expert=oracle gives labels, but the actions of '{env_id}' are "
                f"{action_space.kind}; use expert=hub or expert=bundled"
            )
        card = Card(
            name="the true label",
            source=f"the data of {env_id}",
            sha256=hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            code=True,
        )
        return OracleExpert(env_id, action_space, card)


@dataclass(frozen=True)
class OracleExpert:
    """Acts with the true label."""

    env_id: str
    action_space: Space
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        if observation.privileged is None or observation.privileged.size != len(observation):
            raise ExpertError(
                f"expert=oracle needs an environment with true labels, and "
                f"'{self.env_id}' has none: use env=handwriting or env=sequence, or another expert"
            )
        labels = observation.privileged.reshape(len(observation)).astype(self.action_space.dtype)
        return Acts(labels, np.ones(len(observation), bool))
