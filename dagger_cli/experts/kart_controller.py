"""`expert=kart_controller`: drives a kart with the centre line of the track before it.

Steering is pure pursuit (Coulter 1992): the circle through a point of the centre line ahead. With
throttle, the speed is the highest that the tightest such circle allows, to any point further on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Acts, Array, Card, Expert, Observation, Space
from dagger_cli.core.values import in_range

EVERY = 2.0  # m between two points of the centre line in the kart's view
RADIUS, GRIP = 6.0, 24.0  # m and m/s^2 of env=kart: the smallest circle, and the force to the side
HURRY = 0.5  # of the step's full throttle or brake, per m/s that the speed is off


@dataclass(frozen=True)
class KartController:
    """Settings of the controller."""

    ahead: float  # m to the point that it steers to
    caution: float  # of the speed that the tyres allow, in (0, 1]; with throttle

    def __post_init__(self) -> None:
        in_range("expert.ahead", self.ahead, "[2, 16]", 5)
        in_range("expert.caution", self.caution, "(0, 1]", 0.8)

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        """Creates the expert; raises ExpertError where the actions are not those of a kart."""
        if action_space.kind != "box" or action_space.shape not in ((1,), (2,)):
            raise ExpertError(
                f"expert=kart_controller steers karts, not '{env_id}'; use env=kart or another "
                "expert"
            )
        card = Card(
            name="pure pursuit of the centre line",
            source="the track of env=kart",
            sha256=hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            code=True,
        )
        return Driver(env_id, action_space, self, card)


@dataclass(frozen=True)
class Driver:
    """Expert that acts on `privileged` (n, 3 + 2k), see `envs.kart.driving.survey`."""

    env_id: str
    action_space: Space
    settings: KartController
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Steers every row; deterministic, so `rng` is not used."""
        seen = observation.privileged
        if seen is None or seen.ndim != 2 or seen.shape[1] < 5 or seen.shape[1] % 2 == 0:
            raise ExpertError(
                f"expert=kart_controller needs the track ahead, which '{self.env_id}' does not "
                "provide: use env=kart, or another expert"
            )
        speed, line = seen[:, 2], seen[:, 3:].reshape(len(seen), -1, 2)
        actions = self._steering(speed, line)[:, None]
        if self.action_space.size == 2:
            actions = np.concatenate([actions, self._throttle(speed, line)[:, None]], axis=1)
        return Acts(actions.astype(self.action_space.dtype), np.ones(len(seen), bool))

    def _steering(self, speed: Array, line: Array) -> Array:
        """Returns (n,): the curvature to the point ahead over the largest at this speed."""
        first, share = self._aim(line)
        bend = _bends(line[:, first] * (1 - share) + line[:, first + 1] * share)
        steering: Array = np.clip(bend * np.maximum(RADIUS, speed**2 / GRIP), -1, 1)
        return steering

    def _aim(self, line: Array) -> tuple[int, float]:
        """Returns the last point before the place it steers to, and the way to the next one."""
        place = self.settings.ahead / EVERY - 1
        first = min(int(place), line.shape[1] - 2)
        return first, place - first

    def _throttle(self, speed: Array, line: Array) -> Array:
        first, _ = self._aim(line)
        tightest = np.abs(_bends(line[:, first + 1 :])).max(axis=1)
        most = self.settings.caution * np.sqrt(GRIP / np.maximum(tightest, 1e-3))
        throttle: Array = np.clip(HURRY * (most - speed), -1, 1)
        return throttle


def _bends(points: Array) -> Array:
    """Returns curvatures (...,) of circles that begin straight ahead and meet `points` (..., 2)."""
    return np.asarray(2 * points[..., 1] / np.maximum((points**2).sum(-1), 1e-9))
