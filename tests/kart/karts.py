"""Environments and experts that the tests of karts share."""

from __future__ import annotations

from typing import Any

import numpy as np

from dagger_cli.envs.kart.env import KartEnv
from dagger_cli.envs.kart.source import KartSource, kart
from dagger_cli.experts.kart_controller import Driver, KartController

RULES: dict[str, Any] = {
    "id": "kart", "track": 0, "throttle": False, "observation": "lab", "noise": 0.05,
    "max_steps": 2000, "failure": "fall",
}  # fmt: skip


def source(**changes: Any) -> KartSource:
    return kart(**(RULES | changes))


def started(n: int = 1, first: int = 0, **changes: Any) -> KartEnv:
    env = source(**changes).open(n)
    env.reset(np.arange(n), first + np.arange(n))
    return env


def driver(throttle: bool = False, caution: float = 0.8) -> Driver:
    made = source(throttle=throttle)
    spaces = made.observation_space, made.action_space
    return KartController(ahead=5.0, caution=caution).load("kart", *spaces)


def straight(env: KartEnv, steps: int) -> list[float]:
    """Rewards of slot 0 while its wheels are straight."""
    slot = np.zeros(1, np.int64)
    return [float(env.step(slot, np.zeros((1, 1))).rewards[0]) for _ in range(steps)]
