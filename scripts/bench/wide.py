"""Fast environment with wide observations, to fill an aggregate."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

WIDTH, LENGTH = 1024, 100


class Wide(gymnasium.Env):  # type: ignore[misc]
    """Environment of `WIDTH` random numbers; the first half is redrawn in every step."""

    observation_space = gymnasium.spaces.Box(-8, 8, (WIDTH,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode, determined by its seed."""
        super().reset(seed=seed)
        self._obs = self.np_random.standard_normal(WIDTH, np.float32)
        return self._obs.copy(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Steps; the reward is the closeness of the action to the expert's."""
        reward = -float(np.square(action - expert(self._obs)).sum())
        self.np_random.standard_normal(WIDTH // 2, np.float32, out=self._obs[WIDTH // 2 :])
        return self._obs.copy(), reward, False, False, {}


def expert(obs: Any) -> Any:
    """Computes a label that a network can partly learn."""
    return np.tanh(obs[..., -4:] * obs[..., :4]).astype(np.float32)


gymnasium.register("Wide-v0", entry_point=Wide, max_episode_steps=LENGTH)
