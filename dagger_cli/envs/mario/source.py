"""`env=mario`: creates environments from the config."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar, Literal

from numpy.random import Generator

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.frame_rows import Split
from dagger_cli.core.types import Policy, Score, Shown, Space
from dagger_cli.core.values import at_least, one_of
from dagger_cli.envs.mario.env import ACTION_SPACE, MarioEnv, Play
from dagger_cli.envs.mario.prepare import make_ready
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.simulator.engine import TICKS_PER_SECOND
from dagger_cli.envs.video import Mode
from dagger_cli.utils.system import usable_cores

TICKS_SHOWN_PER_SECOND = 24  # frame rate of the original
MODES = ("small", "large", "fire")
STAGE_TYPES = ("overground", "underground", "castle")


@dataclass(frozen=True)
class MarioSource:
    """Source of environments; an episode's seed is the seed of the stage generator."""

    id: str
    made: Play
    workers: int | Literal["auto"]
    render_modes: ClassVar[tuple[str, ...]] = ("rgb_array", "human")
    fps: ClassVar[int] = TICKS_SHOWN_PER_SECOND
    repeats: ClassVar[bool] = True  # the same episode for the same seed
    action_space: ClassVar[Space] = ACTION_SPACE

    def __post_init__(self) -> None:
        if self.workers != "auto" and (not isinstance(self.workers, int) or self.workers < 0):
            raise ConfigError(f"env.workers must be auto, 0 or more, got {self.workers}; try auto")

    @property
    def observation_space(self) -> Space:
        """See `observations.paper_features` and `observations.compact`."""
        return self.made.config.space

    @property
    def frame_split(self) -> Split | None:
        """The images that an observation begins with, None without."""
        return self.made.config.split

    @property
    def horizon(self) -> int:
        """Steps until the time is up; the first tick of a game belongs to no step."""
        ticks = TICKS_PER_SECOND * self.made.rules.time_limit - 1
        return ceil(ticks / self.made.ticks_per_action)

    def open(self, n_envs: int, watch: Callable[[], None] | None = None) -> MarioEnv:
        """Opens `n_envs` games on `workers` + 1 threads; results do not depend on their number."""
        at_least("n_envs", n_envs, 1)
        make_ready(lambda line: print(line, file=sys.stderr, flush=True))
        workers = usable_cores() - 1 if self.workers == "auto" else self.workers
        return MarioEnv(self.made, n_envs, workers + 1, watch)

    def open_shown(self) -> Shown:
        """Opens one game that is drawn, after each env step."""
        from dagger_cli.envs.mario.show import frame

        env = self.open(1)
        return Shown(env, lambda: frame(env), self.fps / self.made.ticks_per_action)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Renders one episode per seed, tick by tick, in a window or to a video file."""
        from dagger_cli.envs.mario.show import play

        return play(self, policy, seeds, rng, mode)


def mario(
    *,
    id: str,
    start_mode: str,
    difficulty: int,
    stage_type: str,
    length: int,
    time_limit: int,
    ticks_per_action: int,
    observation: str,
    failure: Any,
    workers: int | Literal["auto"],
) -> MarioSource:
    """Creates the source of `env=mario`; raises ConfigError for invalid values."""
    mode = _place("start_mode", start_mode, MODES)
    kind = _place("stage_type", stage_type, STAGE_TYPES)
    rules = Rules(difficulty, kind, length, time_limit, mode)
    return MarioSource(id, Play(rules, ticks_per_action, observation, failure), workers)


def _place(key: str, value: str, known: tuple[str, ...]) -> int:
    one_of(f"env.{key}", value, known)
    return known.index(value)
