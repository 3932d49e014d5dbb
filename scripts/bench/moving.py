"""Fast environment of image stacks: the last four of 84x84 grey pixels, as an Atari game's."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

SIDE, STACK, LENGTH = 84, 4, 400
CHOICES = 4


class Moving(gymnasium.Env):  # type: ignore[misc]
    """Environment whose every image is new and random; an episode starts with one of them."""

    observation_space = gymnasium.spaces.Box(0, 255, (STACK, SIDE, SIDE), np.uint8)
    action_space = gymnasium.spaces.Discrete(CHOICES)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode, determined by its seed."""
        super().reset(seed=seed)
        self._images = np.zeros((STACK, SIDE, SIDE), np.uint8)
        return self._next(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Steps; the reward is 1 for the expert's action."""
        reward = float(action == expert(self._images[None])[0])
        return self._next(), reward, False, False, {}

    def _next(self) -> Any:
        self._images[:-1] = self._images[1:]
        pixels = self.np_random.bytes(SIDE * SIDE)
        self._images[-1] = np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE)
        self._images[-1, :8] //= 2  # what the label depends on: one of four corners is brighter
        corner = int(self.np_random.integers(CHOICES))
        self._images[-1, :8, 21 * corner : 21 * corner + 21] |= 128
        return self._images.copy()


def expert(obs: Any) -> Any:
    """Returns which quarter of the top of the last image is the brightest."""
    top = obs[:, -1, :8, :].reshape(len(obs), 8, CHOICES, 21)
    return top.mean((1, 3)).argmax(1)


def still(obs: Any) -> Any:
    """Returns action 0, of a game for which there is no agent."""
    return np.zeros(len(obs), np.int64)


gymnasium.register("Moving-v0", entry_point=Moving, max_episode_steps=LENGTH)
