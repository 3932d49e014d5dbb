"""Mario as an `Env`: a step holds four buttons for some ticks, an episode is a stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.frame_rows import Split
from dagger_cli.core.types import Array, Observation, Snapshot, Space, Step
from dagger_cli.core.values import at_least, one_of
from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.observations import compact
from dagger_cli.envs.mario.observations import paper_features as features
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.saved_games import check_games
from dagger_cli.envs.mario.simulator.sprite_kinds import JUMP, LEFT, RIGHT, SPEED
from dagger_cli.envs.mario.simulator.state import DEAD, RUNNING, games_of

Failure = Literal["unfinished", "died"]
BUTTONS = np.array([LEFT, RIGHT, JUMP, SPEED])
ACTION_SPACE = Space("multi_binary", (4,), "int8", sizes=(2, 2, 2, 2))
OBSERVE_TICKS = 1  # an observation takes about as long as a tick


@dataclass(frozen=True)
class ObservationConfig:
    """An observation: the compiled function that updates it, and what its bytes are.

    `highest` (n_bytes,) are the largest values of each; `split` are the images that it begins with.
    """

    look: Callable[[Array, Array, Array, Array, Array], None]
    highest: Array
    split: Split | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of an observation."""
        return len(self.highest)

    @property
    def space(self) -> Space:
        """A flat box of bytes."""
        ends = (0.0,) * self.n_bytes, tuple(self.highest.astype(float).tolist())
        return Space("box", (self.n_bytes,), "uint8", *ends)


OBSERVATIONS = {
    "features": ObservationConfig(
        features.look,
        np.full(features.N_BYTES, 255),
        Split(1, features.IMAGES, features.IMAGE_BYTES),
    ),
    "compact": ObservationConfig(compact.look, np.where(compact.BINARY, 1, 255)),
}


@dataclass(frozen=True)
class Play:
    """Settings of an environment: rules, ticks per step, observation, definition of failure."""

    rules: Rules
    ticks_per_action: int
    observation: str
    failure: Failure

    def __post_init__(self) -> None:
        at_least("env.ticks_per_action", self.ticks_per_action, 1, 3)
        at_least("env.time_limit", self.rules.time_limit, 1, 60)
        one_of("env.observation", self.observation, OBSERVATIONS)
        one_of("env.failure", self.failure, get_args(Failure))

    @property
    def config(self) -> ObservationConfig:
        """The config of the observation."""
        return OBSERVATIONS[self.observation]


class MarioEnv:
    """`n_envs` games, each on the stage of its seed.

    The return of an episode is the distance: Mario's x in px at the end, including the 32 px of the
    start. An episode ends with the stage completed, with Mario's death (terminated), or when the
    time is up (truncated). `Step.failed` marks episodes without completion, or, with
    `failure="died"`, only those in which Mario died before the time was up. `privileged` is the
    game itself, GAME_BYTES per row (`state.games_of`). `watch` is called after every tick.
    """

    action_space = ACTION_SPACE

    def __init__(
        self, play: Play, n_envs: int, threads: int = 1, watch: Callable[[], None] | None = None
    ) -> None:
        self.observation_space = play.config.space
        self.n_envs = n_envs
        self.batch = Batch(n_envs, play.rules, threads)
        self._play, self._watch = play, watch
        games = self.batch.games
        # Views of the games' memory.
        self._status, self._time_left = games["status"], games["time_left"]
        self._x = games["sprites"]["x"][:, 0]
        self._obs = np.zeros((n_envs, play.config.n_bytes), np.uint8)
        self._steps, self._paid = np.zeros(n_envs, np.int64), np.zeros(n_envs)

    @property
    def observation(self) -> Observation:
        """Observations of all slots; of an ended slot the last one."""
        return Observation(self._obs, self._steps, self.batch.rows)

    @property
    def distance(self) -> Array:
        """(n_envs,) px: Mario's x, the sum of the rewards of the current episode."""
        return self._x.astype(np.float64)

    @property
    def won(self) -> Array:
        """(n_envs,) bool: the stage is completed."""
        return np.asarray((self._status != RUNNING) & (self._status != DEAD))

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts the stage of each seed; as in the original, the first tick has no buttons."""
        slots = np.asarray(slots, np.int64)
        self.batch.start(slots, seeds)
        self._steps[slots], self._paid[slots] = 0, 0
        self._advance(slots, np.zeros(len(slots), np.int64), 1)
        self._look(slots, np.full(len(slots), -1))

    def step(self, slots: Array, actions: Array) -> Step:
        """Holds the buttons `actions` (k, 4) of 0 and 1: left, right, jump, speed."""
        slots, actions = np.asarray(slots, np.int64), np.asarray(actions)
        assert (self._status[slots] == RUNNING).all(), "a slot without a running game was stepped"
        if actions.shape != (len(slots), 4) or not np.isin(actions, (0, 1)).all():
            raise EnvError(f"actions must be ({len(slots)}, 4) zeros or ones")
        keys = actions.astype(np.int64) @ BUTTONS
        self._advance(slots, keys, self._play.ticks_per_action)
        self._look(slots, keys)
        self._steps[slots] += 1
        return self._answer(slots)

    def snapshot(self) -> Snapshot:
        """Returns the games, their observations and the counters."""
        return {"games": self.batch.rows.copy(), **{k: a.copy() for k, a in self._own.items()}}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError for other games or options, and altered games."""
        wanted = {"games": self.batch.rows, **self._own}
        for name, array in wanted.items():
            if snapshot[name].shape != array.shape or snapshot[name].dtype != array.dtype:
                raise EnvError(
                    "the saved games do not fit this environment: n_envs or env.observation have "
                    "changed since, or another version of dagger-cli saved them"
                )
        rows = snapshot["games"]
        if rows.any():  # started
            check_games(games_of(rows), self._play.rules)
            self.batch.load(np.arange(self.n_envs), rows)
        for name, array in self._own.items():
            array[:] = snapshot[name]

    def close(self) -> None:
        """Does nothing: there are no resources but memory."""

    @property
    def _own(self) -> dict[str, Array]:
        return {"obs": self._obs, "steps": self._steps, "paid": self._paid}

    def _advance(self, slots: Array, keys: Array, ticks: int) -> None:
        if self._watch is None:
            self.batch.advance(slots, keys, ticks)
            return
        for _ in range(ticks):
            if (self._status[slots] == RUNNING).any():
                self.batch.advance(slots, keys, 1)
                self._watch()

    def _look(self, slots: Array, keys: Array) -> None:
        config, games, stages = self._play.config, self.batch.games, self.batch.stages

        def here(part: slice) -> Any:
            config.look(games, stages, slots[part], keys[part], self._obs)

        self.batch._on_threads(here, len(slots), OBSERVE_TICKS)

    def _answer(self, slots: Array) -> Step:
        x, status = self._x[slots].astype(np.float64), self._status[slots]
        rewards = x - self._paid[slots]
        self._paid[slots] = x
        lost = status == DEAD
        too_late = lost & (self._time_left[slots] == 0)
        ended = status != RUNNING
        failed = lost if self._play.failure == "unfinished" else lost & ~too_late
        return Step(rewards, ended & ~too_late, too_late, failed)
