"""The same kart as a Gymnasium environment, registered when this module is imported.

    import gymnasium, dagger_cli.envs.kart.gym_env
    env = gymnasium.make("dagger_cli/Kart-v0", observation="pixels", render_mode="rgb_array")

`reset(seed=s)` starts the lap of seed s; `reset()` continues with the following training laps.
`info` has the number of `falls` in the lap and `track_ahead`, what the expert sees
(`driving.survey`). The defaults of the arguments are those of conf/env/kart.yaml.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

from dagger_cli.core.seeds import TRAIN_SEEDS
from dagger_cli.core.types import Array
from dagger_cli.envs.kart.picture import picture
from dagger_cli.envs.kart.show import SIZE, TITLE
from dagger_cli.envs.kart.source import KartSource, kart
from dagger_cli.envs.window import Window

SLOT = np.zeros(1, np.int64)


class Kart(gymnasium.Env):  # type: ignore[misc]  # untyped where mypy runs
    """One slot of a `KartEnv`; an action is the steering, with throttle (steering, throttle)."""

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["rgb_array", "human"],
        "render_fps": KartSource.fps,
    }

    def __init__(self, source: KartSource, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._window = Window(TITLE, SIZE, KartSource.fps) if render_mode == "human" else None
        self._env = source.open(1)
        self._next = TRAIN_SEEDS.start
        seen, played = source.observation_space, source.action_space
        low, high = (np.array(end, seen.dtype).reshape(seen.shape) for end in (seen.low, seen.high))
        self.observation_space = spaces.Box(low, high, seen.shape, np.dtype(seen.dtype).type)
        self.action_space = spaces.Box(-1.0, 1.0, played.shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is None:
            seed, self._next = self._next, self._next + 1
        else:
            self._next = TRAIN_SEEDS.start + seed % len(TRAIN_SEEDS)
        self._env.reset(SLOT, np.array([seed]))
        self._show()
        return self._seen(), self._known()

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        step = self._env.step(SLOT, np.asarray(action)[None])
        self._show()
        ended = bool(step.terminated[0]), bool(step.truncated[0])
        return self._seen(), float(step.rewards[0]), *ended, self._known()

    def render(self) -> Array | None:
        """Returns the current picture; in human mode the window shows every step by itself."""
        return picture(self._env) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        if self._window is not None:
            self._window.close()

    def _show(self) -> None:
        if self._window is not None:
            self._window.show(picture(self._env))

    def _seen(self) -> Array:
        return self._env.observation.obs[0].copy()

    def _known(self) -> dict[str, Any]:
        ahead = self._env.observation.privileged
        assert ahead is not None
        return {"falls": int(self._env.falls[0]), "track_ahead": ahead[0].copy()}


def make_kart(
    track: int = 0,
    throttle: bool = False,
    observation: str = "lab",
    noise: float = 0.05,
    max_steps: int = 2000,
    render_mode: str | None = None,
) -> Kart:
    """Creates the environment; see `kart` for the arguments."""
    source = kart(
        id="dagger_cli/Kart-v0",
        track=track,
        throttle=throttle,
        observation=observation,
        noise=noise,
        max_steps=max_steps,
        failure="fall",
    )
    return Kart(source, render_mode)


gymnasium.register("dagger_cli/Kart-v0", entry_point=make_kart)
