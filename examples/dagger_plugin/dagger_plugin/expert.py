"""An expert: a controller, and the source that loads it."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from dagger_cli import Acts, Card, Expert, ExpertError, Observation, Space


@dataclass(frozen=True)
class Controller:
    """A proportional-derivative controller for Point-v0."""

    gain: float
    damping: float
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns actions (n, 1); every one is the expert's."""
        position, velocity = observation.obs.T
        force = -self.gain * position - self.damping * velocity
        actions = np.clip(force, -1, 1)[:, None].astype(np.float32)
        return Acts(actions, np.ones(len(observation), bool))


@dataclass(frozen=True)
class ControllerSource:
    """The keys of conf/expert/point_controller.yaml."""

    gain: float
    damping: float

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        """Returns the expert; raises ExpertError in another environment."""
        if env_id != "Point-v0":
            raise ExpertError(f"expert=point_controller is for Point-v0, not for {env_id}")
        digest = f"{abs(hash((self.gain, self.damping))):064x}"
        card = Card("point controller", "dagger_plugin.expert", digest)
        return Controller(self.gain, self.damping, card)
