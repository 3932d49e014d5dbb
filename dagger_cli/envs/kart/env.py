"""Karts as an `Env`: a step is 1/20 s, an episode is a lap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Observation, Snapshot, Space, Step
from dagger_cli.core.values import at_least, in_range, one_of
from dagger_cli.envs.kart.atlas import make_atlas
from dagger_cli.envs.kart.camera import Camera
from dagger_cli.envs.kart.driving import (
    AHEAD,
    FALLS,
    N_COUNTS,
    N_NUMBERS,
    STEPS,
    drive,
    put,
    survey,
)
from dagger_cli.envs.kart.saved import check_saved
from dagger_cli.envs.kart.track import Track, make_track

Failure = Literal["fall", "unfinished"]
VIEW = {"field": np.radians(80), "height": 2.0, "back": 1.0, "tilt": np.radians(14)}


@dataclass(frozen=True)
class View:
    """An observation: its camera, and the space of its images."""

    camera: Camera
    dtype: str
    low: tuple[float, float, float]  # of each channel
    high: tuple[float, float, float]

    @property
    def space(self) -> Space:
        """A box of images (rows, columns, 3)."""
        shape = (self.camera.rows, self.camera.columns, 3)
        pixels = shape[0] * shape[1]
        return Space("box", shape, self.dtype, self.low * pixels, self.high * pixels)


VIEWS = {
    "lab": View(Camera(19, 25, **VIEW), "float32", (0, -128, -128), (100, 128, 128)),
    "pixels": View(Camera(64, 84, **VIEW), "uint8", (0, 0, 0), (255, 255, 255)),
}


@dataclass(frozen=True)
class Rules:
    """Settings of an environment; raises ConfigError for invalid ones."""

    track: int
    throttle: bool
    observation: str
    noise: float
    max_steps: int
    failure: Failure

    def __post_init__(self) -> None:
        one_of("env.observation", self.observation, VIEWS)
        one_of("env.failure", self.failure, get_args(Failure))
        in_range("env.noise", self.noise, "[0, 1]", 0.05)
        at_least("env.max_steps", self.max_steps, 1, 2000)
        make_track(self.track)

    @property
    def view(self) -> View:
        """The view of the observation."""
        return VIEWS[self.observation]

    @property
    def action_space(self) -> Space:
        """Steering, 1 to the left; with throttle a second component, -1 brakes."""
        n = 2 if self.throttle else 1
        return Space("box", (n,), "float32", (-1.0,) * n, (1.0,) * n)


class KartEnv:
    """`n_envs` karts, each alone on the same track.

    An episode is a lap from a place that its seed chooses. A kart that falls is put back and drives
    on; each fall has reward -1, so the return is minus the number of falls. The reward also has
    the change of a potential (Ng, Harada & Russell 1999), -1/8 at the edge and 0 in the middle of
    the track and after the end, by which cost roll-outs see that a fall is near; over a lap it sums
    to exactly 0. With throttle each step costs 1/1024. An episode is terminated when the lap is
    finished and truncated after `max_steps`. `Step.failed` marks laps with a fall, or, with
    `failure="unfinished"`, truncated ones. `privileged` is what `driving.survey` finds.
    """

    def __init__(self, rules: Rules, n_envs: int) -> None:
        self.observation_space, self.action_space = rules.view.space, rules.action_space
        self.n_envs, self.rules = n_envs, rules
        self.track: Track = make_track(rules.track)
        self._atlas = make_atlas(rules.track, rules.observation, rules.view.camera.block)
        self.numbers = np.zeros((n_envs, N_NUMBERS))
        self.counts = np.zeros((n_envs, N_COUNTS), np.int64)
        self._running = np.zeros(n_envs, bool)
        self._obs = np.zeros((n_envs, *self.observation_space.shape), self.observation_space.dtype)
        self._seen = np.zeros((n_envs, 3 + 2 * AHEAD))
        self._line = self.track.points, self.track.headings, self.track.spacing

    @property
    def observation(self) -> Observation:
        """Observations of all slots; of an ended slot the last one."""
        return Observation(self._obs, self.counts[:, STEPS], self._seen)

    @property
    def falls(self) -> Array:
        """(n_envs,) int64: falls in the current lap."""
        return np.asarray(self.counts[:, FALLS])

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts a lap in each of `slots` (k,), from `seeds` (k,)."""
        slots = np.asarray(slots, np.int64)
        put(self.numbers, self.counts, slots, np.asarray(seeds, np.int64), *self._line)
        self._running[slots] = True
        self._look(slots)

    def step(self, slots: Array, actions: Array) -> Step:
        """Drives each of `slots` (k,) for a step; actions beyond [-1, 1] are clipped."""
        slots = np.asarray(slots, np.int64)
        assert self._running[slots].all(), "a slot without a running lap was stepped"
        k = len(slots)
        if np.shape(actions) != (k, *self.action_space.shape) or not np.isfinite(actions).all():
            raise EnvError(f"actions must be ({k}, {self.action_space.size}) finite numbers")
        commands = np.clip(np.asarray(actions, np.float64), -1, 1)
        rewards, finished, late = np.zeros(k), np.zeros(k, bool), np.zeros(k, bool)
        rules = self.rules
        limits = rules.noise, rules.max_steps
        drive(
            self.numbers,
            self.counts,
            slots,
            commands,
            *self._line,
            *limits,
            rewards,
            finished,
            late,
        )
        ended = finished | late
        self._running[slots] = ~ended
        self._look(slots)
        failed = late if rules.failure == "unfinished" else ended & (self.falls[slots] > 0)
        return Step(rewards, finished, late, failed)

    def snapshot(self) -> Snapshot:
        """Returns the numbers and counts of the karts, and whether their laps are running."""
        return {name: array.copy() for name, array in self._own.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError where it does not fit or was altered."""
        check_saved(snapshot, self._own, self.track)
        for name, array in self._own.items():
            array[:] = snapshot[name]
        self._obs[:] = 0
        self._look(np.flatnonzero(self.numbers.any(1)))

    def close(self) -> None:
        """Does nothing: there are no resources but memory."""

    @property
    def _own(self) -> dict[str, Array]:
        return {"numbers": self.numbers, "counts": self.counts, "running": self._running}

    def _look(self, slots: Array) -> None:
        survey(self.numbers, slots, *self._line, self._seen)
        self.rules.view.camera.look(self._atlas, self.numbers, slots, self._obs)
