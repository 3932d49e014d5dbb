"""Atari games in Gymnasium (extra `atari`), preprocessed as EnvPool does it, for pictures.

tests/envs/test_atari_twins.py compares both image by image. The arguments have EnvPool's names.
"""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

SIDE = 84
NOOP, FIRE = 0, 1


class Start(gymnasium.Wrapper):  # type: ignore[misc]  # Gymnasium is Any to mypy
    """Starts a game with up to `most - 1` no-ops, and FIRE where the game has it, else a no-op."""

    env: AtariPreprocessing

    def __init__(self, env: AtariPreprocessing, most: int) -> None:
        super().__init__(env)
        self._most = most
        self._last = FIRE if env.unwrapped.get_action_meanings()[FIRE] == "FIRE" else NOOP

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Resets the game; returns the picture after the first actions."""
        _, info = self.env.reset(seed=seed, options=options)
        game, buffers = self.env.env, self.env.obs_buffer
        for _ in range(int(self.unwrapped.np_random.integers(0, self._most))):
            game.step(NOOP)
        game.step(self._last)
        self.env.ale.getScreenGrayscale(buffers[0])
        buffers[1].fill(0)  # the maximum of two frames is the first
        return self.env._get_obs(), info


def preprocessed(
    name: str,
    render_mode: str | None = None,
    *,
    noop_max: int = 30,
    frame_skip: int = 4,
    stack_num: int = 4,
    episodic_life: bool = False,
    repeat_action_probability: float = 0.0,
) -> Any:
    """Returns a game such as `SpaceInvaders`; raises what gymnasium.make raises."""
    import ale_py

    gymnasium.register_envs(ale_py)
    game = gymnasium.make(
        f"{name}NoFrameskip-v4",
        render_mode=render_mode,
        repeat_action_probability=repeat_action_probability,
    )
    env = AtariPreprocessing(
        game,
        noop_max=0,
        frame_skip=frame_skip,
        screen_size=SIDE,
        terminal_on_life_loss=episodic_life,
        grayscale_obs=True,
    )
    return FrameStackObservation(Start(env, max(noop_max, 1)), stack_num)
