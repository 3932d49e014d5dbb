"""An environment: a point on a line that must be brought to the origin, and a source for it."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from dagger_cli.envs.gym import GymSource


class PointEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """Observation: position and velocity; action: force; reward: minus the distance."""

    metadata: ClassVar = {"render_modes": []}

    def __init__(self, force: float = 0.1) -> None:
        self.force = force
        self.observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        """Places the point at random."""
        super().reset(seed=seed)
        self.state = np.array([self.np_random.uniform(-1, 1), 0.0])
        return self.state.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """Accelerates the point."""
        position, velocity = self.state
        velocity = 0.9 * velocity + self.force * float(action[0])
        self.state = np.array([position + velocity, velocity])
        lost = abs(self.state[0]) > 2
        return self.state.astype(np.float32), -abs(self.state[0]), bool(lost), False, {}


gymnasium.register("Point-v0", "dagger_plugin.env:PointEnv", max_episode_steps=40)


def point(force: float, workers: int) -> GymSource:
    """Returns the source that conf/env/point.yaml names; its keys are these parameters."""
    return GymSource(
        id="Point-v0",
        imports=None,  # importing this module has registered it
        kwargs={"force": force},
        max_episode_steps=None,
        fresh_simulator=False,
        workers=workers,
        backend="gymnasium",
        failure="terminated",
    )
