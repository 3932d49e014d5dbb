"""Source of Gymnasium environments: any registered id, checked when the source is created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Env, Policy, Score, Shown, Space
from dagger_cli.core.values import at_least, in_range, one_of
from dagger_cli.envs.buffers import Slots, buffer_bytes, map_buffers
from dagger_cli.envs.creation import Unavailable, create
from dagger_cli.envs.description import Description, of_envpool, of_gymnasium
from dagger_cli.envs.envpool_engine import PoolEngine
from dagger_cli.envs.envpool_ids import has_env
from dagger_cli.envs.envpool_twins import check_twin, has_twin
from dagger_cli.envs.subprocess_engine import Workers, shared_memory
from dagger_cli.envs.vector_env import Engine, Failure, VectorEnv, episode
from dagger_cli.envs.video import Mode, quiet_sdl
from dagger_cli.envs.worker_count import seconds_a_step, workers_that_pay
from dagger_cli.utils.system import usable_cores

TRIED = 3  # steps
Backend = Literal["gymnasium", "envpool"]


@dataclass(frozen=True, kw_only=True)
class GymSource:
    """Source of one Gymnasium id: in this process, in worker processes, or with EnvPool."""

    id: str
    imports: str | Sequence[str] | None  # modules that register the id when imported
    kwargs: Mapping[str, Any]  # for gymnasium.make
    max_episode_steps: int | None  # None: the environment's own limit
    fresh_simulator: bool | Literal["auto"]  # create the environment anew for every episode
    workers: int | Literal["auto"]  # worker processes (EnvPool: threads); auto: worker_count.py
    # auto: EnvPool if Gymnasium lacks it, or if it is tested for this id; evaluation: Gymnasium's
    # where it can be created, unless experts see what EnvPool alone shows.
    backend: Backend | Literal["auto", "evaluation"]
    failure: Failure
    step_timeout: float | None = None  # seconds; None: 300 for worker processes, else no limit
    hidden: str | None = None  # entry of EnvPool's info that experts see, such as ram
    parts: Mapping[str, Sequence[int]] = field(default_factory=dict)  # name: [first, stop]
    described: Description = field(init=False)
    alone: bool = field(init=False)  # Gymnasium cannot create it, EnvPool can
    chosen: Backend = field(init=False)  # the backend that `auto` selected

    def __post_init__(self) -> None:
        self._check_values()
        found, alone = self._described()
        named = {} if found.layout is None else found.layout.names
        for name, value in (
            ("described", found),
            ("alone", alone),
            ("parts", checked_parts({**named, **self.parts}, found.observation_space)),
        ):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "chosen", "envpool" if alone else self._backend())

    @property
    def observation_space(self) -> Space:
        """Space of the observations."""
        return self.described.observation_space

    @property
    def action_space(self) -> Space:
        """Space of the actions."""
        return self.described.action_space

    @property
    def horizon(self) -> int | None:
        """Maximum steps of an episode."""
        return self.described.horizon

    @property
    def render_modes(self) -> tuple[str, ...]:
        """Gymnasium's render modes, none where EnvPool alone has the environment."""
        return self.described.render_modes

    @property
    def fps(self) -> int:
        """Frames per second of a video."""
        return self.described.fps

    @property
    def repeats(self) -> bool:
        """Whether it is known to play the same episode for the same seed."""
        return self.described.repeats

    @property
    def renewed(self) -> bool:
        """Whether every episode gets a new environment; auto: for those of Box2D that need it."""
        own = self.fresh_simulator
        return self.described.keeps_world if own == "auto" else bool(own)

    def open(self, n_envs: int) -> Env:
        """Opens `n_envs` slots, distributed over this process and its workers."""
        at_least("n_envs", n_envs, 1)
        n_workers = self._n_workers(n_envs)
        if self.chosen == "envpool":
            return self._open_pools(n_envs, n_workers + 1)
        if n_workers == 0:
            return self.open_here(n_envs, None)[0]
        memory = shared_memory(buffer_bytes(self.observation_space, self.action_space, n_envs))
        buffers = map_buffers(memory, self.observation_space, self.action_space, n_envs)
        engine: Engine = Workers(self, memory, buffers, n_workers)
        return VectorEnv(self.observation_space, self.action_space, self.failure, buffers, engine)

    def open_here(self, n_envs: int, render_mode: str | None) -> tuple[VectorEnv, Slots]:
        """Opens `n_envs` slots in this process; returns them and their environments."""
        if render_mode == "rgb_array":
            quiet_sdl()
        memory = bytearray(buffer_bytes(self.observation_space, self.action_space, n_envs))
        buffers = map_buffers(memory, self.observation_space, self.action_space, n_envs)
        slots = Slots(
            lambda: self.open_one(render_mode),
            self.renewed,
            self.observation_space,
            buffers,
            self.step_timeout,
        )
        spaces = self.observation_space, self.action_space
        return VectorEnv(*spaces, self.failure, buffers, slots), slots

    @property
    def play_keys(self) -> Mapping[Any, Any] | None:
        """The environment's own table of keys to actions for people, None where it has none."""
        with closing(self.open_one(None)) as env:
            make = getattr(env.unwrapped, "get_keys_to_action", None)
            try:
                return None if make is None else dict(make())
            except AttributeError:  # what Atari raises for its continuous actions
                return None

    def open_shown(self) -> Shown:
        """Opens one slot that is drawn, in this process; whatever the backend, by Gymnasium."""
        env, slots = self.open_here(1, "rgb_array")
        return Shown(env, slots.frame, self.fps)

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns a note where EnvPool alone has it, or episodes with one seed differ.

        Gymnasium's own environments are known to repeat themselves, and so are EnvPool's.
        """
        if self.alone:
            return (
                f"Gymnasium cannot create {self.id}: EnvPool's is used for training, validation "
                "and final scores.",
            )
        if self.repeats or self.chosen == "envpool":
            return ()
        with closing(self.open_here(1, None)[0]) as env:
            first, second = (episode(env, steps=TRIED) for _ in range(2))
        if np.array_equal(first, second):
            return ()
        return (
            f"Two episodes of {self.id} with one seed differ: scores vary, expert and student play "
            "other episodes and a resumed run is not exact. reset(seed=seed) must seed all "
            "randomness (super().reset(seed=seed), then self.np_random); or try "
            "env.fresh_simulator=true.",
        )

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Renders one episode per seed in a single environment, see `video.play`."""
        from dagger_cli.envs.video import play

        return play(self, policy, seeds, rng, mode)

    def open_one(self, render_mode: str | None) -> Any:
        """Creates one bare `gymnasium.Env` with its time limit."""
        # Environments need not accept a render_mode, so it is passed only where needed.
        shown = {} if render_mode is None else {"render_mode": render_mode}
        kwargs = {**self.kwargs, **shown}
        return create(self.id, self.imports, kwargs, self.max_episode_steps)

    def _open_pools(self, n_envs: int, threads: int) -> VectorEnv:
        memory = bytearray(buffer_bytes(self.observation_space, self.action_space, n_envs))
        buffers = map_buffers(memory, self.observation_space, self.action_space, n_envs)
        engine = PoolEngine(
            self.id,
            self.kwargs,
            self.max_episode_steps,
            threads,
            buffers,
            self.described.layout,
            self.hidden,
        )
        spaces = self.observation_space, self.action_space
        return VectorEnv(*spaces, self.failure, buffers, engine, engine.privileged)

    def _described(self) -> tuple[Description, bool]:
        """Returns the description, and whether it is EnvPool's."""
        try:
            env = self.open_one(None)
        except Unavailable:
            if self.backend != "gymnasium" and has_env(self.id):
                return of_envpool(self.id, self.kwargs, self.max_episode_steps), True
            env = self.open_one(None)  # the same error, now with EnvPool's ids among the nearest
        found = of_gymnasium(env, self.id)
        with suppress(Exception):  # as in buffers.py
            env.close()
        return found, False

    def _backend(self) -> Backend:
        """Returns the backend; raises EnvError where EnvPool was requested but cannot be used."""
        if self.backend == "evaluation":
            return "envpool" if self.hidden is not None and has_env(self.id) else "gymnasium"
        if self.backend == "auto":
            return "envpool" if not self.kwargs and has_twin(self.id) else "gymnasium"
        if self.backend == "envpool":
            if self.kwargs:
                raise EnvError(
                    f"env.backend=envpool does not support env.kwargs {dict(self.kwargs)}; "
                    "use env.backend=gymnasium"
                )
            check_twin(self.id, self.observation_space, self.action_space)
        return self.backend

    def _check_values(self) -> None:
        if self.backend != "evaluation":
            one_of("env.backend", self.backend, ("auto", *get_args(Backend)))
        if self.workers != "auto" and (not isinstance(self.workers, int) or self.workers < 0):
            raise ConfigError(f"env.workers must be auto, 0 or more, got {self.workers}; try auto")
        if self.max_episode_steps is not None and not 1 <= self.max_episode_steps < 2**31:
            raise ConfigError(
                "env.max_episode_steps must be at least 1, and less than 2^31, got "
                f"{self.max_episode_steps}; use null for the environment's own limit"
            )
        one_of("env.failure", self.failure, get_args(Failure))
        if self.step_timeout is not None:
            in_range("env.step_timeout", self.step_timeout, "(0, inf)", 300)

    def _n_workers(self, n_envs: int) -> int:
        if self.workers != "auto":
            return min(self.workers, n_envs - 1)
        spare = usable_cores() - 1
        if self.chosen == "envpool" or spare == 0 or n_envs == 1:
            return min(spare, n_envs - 1)
        return workers_that_pay(n_envs, self._seconds_a_step, spare)

    @cached_property
    def _seconds_a_step(self) -> float:
        try:
            return seconds_a_step(lambda: self.open_one(None))
        except Exception:  # it will fail again with an error message when it is stepped
            return 0.0


def checked_parts(parts: Mapping[str, Sequence[int]], space: Space) -> dict[str, tuple[int, int]]:
    """Returns first and last column (exclusive) of each part; raises ConfigError for others."""
    for name, columns in parts.items():
        whole = len(columns) == 2 and all(isinstance(column, int) for column in columns)
        if not whole or not 0 <= columns[0] < columns[1] <= space.size:
            raise ConfigError(
                f"env.parts.{name} must be [first, stop], of an observation of {space.size} "
                f"numbers, got {list(columns)}"
            )
    return {name: (columns[0], columns[1]) for name, columns in parts.items()}
