"""An environment of wide observations that costs next to nothing, to fill an aggregate with."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

WIDTH, LENGTH = 1024, 100


class Wide(gymnasium.Env):  # type: ignore[misc]
    """`WIDTH` numbers drawn at random, the first half of them again in every step."""

    observation_space = gymnasium.spaces.Box(-8, 8, (WIDTH,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (4,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Another episode, set by its seed."""
        super().reset(seed=seed)
        self._obs = self.np_random.standard_normal(WIDTH, np.float32)
        return self._obs.copy(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The reward is how near the action is to the expert's."""
        reward = -float(np.square(action - expert(self._obs)).sum())
        self.np_random.standard_normal(WIDTH // 2, np.float32, out=self._obs[WIDTH // 2 :])
        return self._obs.copy(), reward, False, False, {}


def expert(obs: Any) -> Any:
    """Something that a network can learn a little of."""
    return np.tanh(obs[..., -4:] * obs[..., :4]).astype(np.float32)


gymnasium.register("Wide-v0", entry_point=Wide, max_episode_steps=LENGTH)
