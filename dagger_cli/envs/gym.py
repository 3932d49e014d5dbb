"""Source of Gymnasium environments: any registered id, checked when the source is created."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Env, Policy, Score, Space
from dagger_cli.core.values import at_least, one_of
from dagger_cli.envs.buffers import Slots, buffer_bytes, map_buffers
from dagger_cli.envs.envpool_engine import PoolEngine, check_twin, has_twin
from dagger_cli.envs.spaces import to_space
from dagger_cli.envs.subprocess_engine import Workers, shared_memory
from dagger_cli.envs.vector_env import Engine, Failure, VectorEnv
from dagger_cli.envs.worker_count import seconds_a_step, workers_that_pay
from dagger_cli.utils.imports import import_named
from dagger_cli.utils.system import usable_cores

DEFAULT_FPS = 30  # for environments without render_fps
Backend = Literal["gymnasium", "envpool"]


@dataclass(frozen=True, kw_only=True)
class GymSource:
    """Source of one Gymnasium id: in this process, in worker processes, or with EnvPool."""

    id: str
    imports: str | Sequence[str] | None  # modules that register the id when imported
    kwargs: Mapping[str, Any]  # for gymnasium.make
    max_episode_steps: int | None  # None: the environment's own limit
    fresh_simulator: bool  # create the environment anew for every episode
    workers: int | Literal["auto"]  # worker processes (EnvPool: threads); auto: worker_count.py
    backend: Backend | Literal["auto"]  # auto: EnvPool if installed and tested for this id
    failure: Failure
    observation_space: Space = field(init=False)
    action_space: Space = field(init=False)
    horizon: int | None = field(init=False)  # maximum steps of an episode
    render_modes: tuple[str, ...] = field(init=False)
    fps: int = field(init=False)
    chosen: Backend = field(init=False)  # the backend that `auto` selected

    def __post_init__(self) -> None:
        self._check_values()
        env = self.open_one(None)
        observation_space, action_space = env.observation_space, env.action_space
        horizon = env.spec.max_episode_steps
        modes, fps = (env.metadata.get(key) for key in ("render_modes", "render_fps"))
        with suppress(Exception):  # as in buffers.py
            env.close()
        found = {
            "observation_space": to_space(observation_space, role="observation", env_id=self.id),
            "action_space": to_space(action_space, role="action", env_id=self.id),
            "horizon": horizon,
            "render_modes": tuple(modes or ()),
            "fps": int(fps or DEFAULT_FPS),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "chosen", self._backend())

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
        memory = bytearray(buffer_bytes(self.observation_space, self.action_space, n_envs))
        buffers = map_buffers(memory, self.observation_space, self.action_space, n_envs)
        slots = Slots(lambda: self.open_one(render_mode), self.fresh_simulator, buffers)
        spaces = self.observation_space, self.action_space
        return VectorEnv(*spaces, self.failure, buffers, slots), slots

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path) -> Score:
        """Renders one episode per seed in a single environment, see `video.play`."""
        from dagger_cli.envs.video import play

        return play(self, policy, seeds, rng, mode)

    def open_one(self, render_mode: str | None) -> Any:
        """Creates one bare `gymnasium.Env` with its time limit."""
        import gymnasium
        from gymnasium.error import DependencyNotInstalled, UnregisteredEnv

        self._import_modules()
        # Environments need not accept a render_mode, so it is passed only where needed.
        shown = {} if render_mode is None else {"render_mode": render_mode}
        try:
            with swig_warnings_ignored():
                return gymnasium.make(
                    self.id,
                    max_episode_steps=self.max_episode_steps,
                    disable_env_checker=True,
                    **{**self.kwargs, **shown},
                )
        except UnregisteredEnv as err:
            raise EnvError(self._unknown_id()) from err
        except DependencyNotInstalled as err:
            raise EnvError(f"env '{self.id}' needs a package that is not installed: {err}") from err
        except Exception as err:
            hint = f"; check env.kwargs {dict(self.kwargs)}" if self.kwargs else ""
            what = f"{type(err).__name__}: {err}"
            raise EnvError(f"env '{self.id}' cannot be created: {what}{hint}") from err

    def _open_pools(self, n_envs: int, threads: int) -> VectorEnv:
        memory = bytearray(buffer_bytes(self.observation_space, self.action_space, n_envs))
        buffers = map_buffers(memory, self.observation_space, self.action_space, n_envs)
        engine = PoolEngine(self.id, self.max_episode_steps, threads, buffers)
        return VectorEnv(self.observation_space, self.action_space, self.failure, buffers, engine)

    def _backend(self) -> Backend:
        """Returns the backend; raises EnvError where EnvPool was requested but cannot be used."""
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
        one_of("env.backend", self.backend, ("auto", *get_args(Backend)))
        if self.workers != "auto" and (not isinstance(self.workers, int) or self.workers < 0):
            raise ConfigError(f"env.workers must be auto, 0 or more, got {self.workers}; try auto")
        if self.max_episode_steps is not None and not 1 <= self.max_episode_steps < 2**31:
            raise ConfigError(
                "env.max_episode_steps must be at least 1, and less than 2^31, got "
                f"{self.max_episode_steps}; use null for the environment's own limit"
            )
        one_of("env.failure", self.failure, get_args(Failure))

    def _import_modules(self) -> None:
        names = [self.imports] if isinstance(self.imports, str) else self.imports or ()
        if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
            raise ConfigError(f"env.import must name modules, got {self.imports}")
        for name in names:
            try:
                import_named(name)
            except (Exception, SystemExit) as err:
                raise EnvError(
                    f"env.import: cannot import '{name}' ({type(err).__name__}: {err}); "
                    "install it, or start in its folder"
                ) from err

    def _unknown_id(self) -> str:
        import gymnasium

        ids = {known.lower(): known for known in gymnasium.registry}
        near = [ids[word] for word in get_close_matches(self.id.lower(), ids, n=3)]
        nearest = f"; nearest: {', '.join(near)}" if near else ""
        return (
            f"Gymnasium has no env '{self.id}'{nearest} "
            "(to import a package that registers it, add env.import=my_package)"
        )

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


@contextmanager
def swig_warnings_ignored() -> Iterator[None]:
    """Ignores the warning of Box2D's SWIG layer at import, which fails if warnings are errors."""
    if "Box2D" in sys.modules:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "builtin type", DeprecationWarning)
        yield
