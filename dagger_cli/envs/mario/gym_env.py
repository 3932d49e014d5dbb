"""The same game as a Gymnasium environment, registered when this module is imported.

    import gymnasium, dagger_cli.envs.mario.gym_env
    env = gymnasium.make("dagger_cli/Mario-v0", start_mode="fire", render_mode="rgb_array")

`reset(seed=s)` starts the stage of seed s; `reset()` continues with the following training stages.
`info` has the `distance` in px, whether the stage is `completed`, and Mario's `mode`.
The defaults of the arguments are those of conf/env/mario.yaml.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from dagger_cli.core.seeds import TRAIN_SEEDS
from dagger_cli.core.types import Array
from dagger_cli.envs.mario.show import SIZE, TITLE, frame
from dagger_cli.envs.mario.source import MODES, TICKS_SHOWN_PER_SECOND, MarioSource, mario
from dagger_cli.envs.window import Window

SLOT = np.zeros(1, np.int64)


class Mario(gymnasium.Env):  # type: ignore[misc]  # untyped where mypy runs
    """One slot of a `MarioEnv`; an action is (left, right, jump, speed), each 0 or 1."""

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["rgb_array", "human"],
        "render_fps": TICKS_SHOWN_PER_SECOND,
    }

    def __init__(self, source: MarioSource, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._window = (
            Window(TITLE, SIZE, TICKS_SHOWN_PER_SECOND) if render_mode == "human" else None
        )
        self._env = source.open(1, self._show if self._window else None)
        self._next = TRAIN_SEEDS.start
        self.observation_space = spaces.Box(0, 255, source.observation_space.shape, np.uint8)
        self.action_space = spaces.MultiBinary(source.action_space.size)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is None:
            seed, self._next = self._next, self._next + 1
        else:
            self._next = TRAIN_SEEDS.start + seed % len(TRAIN_SEEDS)
        self._env.reset(SLOT, np.array([seed]))
        return self._seen(), self._known()

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        step = self._env.step(SLOT, np.asarray(action)[None])
        ended = bool(step.terminated[0]), bool(step.truncated[0])
        return self._seen(), float(step.rewards[0]), *ended, self._known()

    def render(self) -> Array | None:
        """Returns the current frame; in human mode the window shows every tick by itself."""
        return frame(self._env) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        if self._window is not None:
            self._window.close()

    def _show(self) -> None:
        assert self._window is not None
        self._window.show(frame(self._env))

    def _seen(self) -> Array:
        return self._env.observation.obs[0].copy()

    def _known(self) -> dict[str, Any]:
        game = self._env.batch.games[0]
        return {
            "distance": float(self._env.distance[0]),
            "completed": bool(self._env.won[0]),
            "mode": MODES[int(game["large"]) + int(game["fire"])],
        }


def make_mario(
    start_mode: str = "small",
    difficulty: int = 1,
    stage_type: str = "overground",
    length: int = 320,
    time_limit: int = 60,
    ticks_per_action: int = 3,
    observation: str = "compact",
    render_mode: str | None = None,
) -> Mario:
    """Creates the environment; see `mario` for the arguments."""
    source = mario(
        id="dagger_cli/Mario-v0",
        start_mode=start_mode,
        difficulty=difficulty,
        stage_type=stage_type,
        length=length,
        time_limit=time_limit,
        ticks_per_action=ticks_per_action,
        observation=observation,
        failure="unfinished",
        workers=0,
    )
    return Mario(source, render_mode)


gymnasium.register("dagger_cli/Mario-v0", entry_point=make_mario)
