"""`expert=heuristic`: Gymnasium's own controller for LunarLander, vectorized.

The rule is `gymnasium.envs.box2d.lunar_lander.heuristic`, line by line, on arrays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Acts, Array, Card, Expert, Observation, Space


@dataclass(frozen=True)
class Heuristic:
    """Heuristic expert without settings."""

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        if not env_id.startswith("LunarLander") or observation_space.shape != (8,):
            raise ExpertError(
                f"there is no heuristic for '{env_id}', only for LunarLander; "
                "use expert=hub or expert=bundled"
            )
        card = Card(
            name="Gymnasium's LunarLander heuristic",
            source="gymnasium.envs.box2d.lunar_lander.heuristic",
            sha256=hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            code=True,
        )
        return LanderHeuristic(
            continuous=action_space.kind == "box", dtype=action_space.dtype, card=card
        )


@dataclass(frozen=True)
class LanderHeuristic:
    """Controls the angle towards the pad and the height towards a cone above it."""

    continuous: bool
    dtype: str
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        actions = lander_actions(observation.obs, self.continuous).astype(self.dtype)
        return Acts(actions, np.ones(len(observation), dtype=bool))


def lander_actions(obs: Array, continuous: bool) -> Array:
    """Maps observations (n, 8) to engines (n,) or thrusts (n, 2)."""
    x, y, vx, vy, angle, spin, left, right = obs.T
    angle_target = np.clip(x * 0.5 + vx * 1.0, -0.4, 0.4)
    hover_target = 0.55 * np.abs(x)
    touching = (left != 0) | (right != 0)
    turn = np.where(touching, 0, (angle_target - angle) * 0.5 - spin * 1.0)
    lift = np.where(touching, -vy * 0.5, (hover_target - y) * 0.5 - vy * 0.5)
    if continuous:
        thrusts: Array = np.stack([lift * 20 - 1, -turn * 20], axis=1)
        return thrusts.clip(-1, 1)
    rise = (lift > np.abs(turn)) & (lift > 0.05)
    return np.select([rise, turn < -0.05, turn > 0.05], [2, 3, 1], default=0)
