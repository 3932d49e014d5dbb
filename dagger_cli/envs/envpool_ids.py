"""The environments that EnvPool has: where they are registered, their spaces, their options.

EnvPool's own import registers all families, and matplotlib with one: 0.7 s instead of 0.1. So an
id is looked up in the family that its name belongs to, and in all of them only if that fails.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

from dagger_cli.core.errors import EnvError

_MUJOCO = (
    "Ant|HalfCheetah|Hopper|Humanoid|HumanoidStandup|InvertedDoublePendulum|InvertedPendulum|"
    "Pusher|Reacher|Swimmer|Walker2d"
)


class Family(NamedTuple):
    """Ids that one module registers.

    `threads`: whether more than one thread pays; `ahead`: how many environments at least are
    created at once, as further episodes will need them.
    """

    ids: str  # regular expression
    module: str
    threads: bool = True
    ahead: int = 8


FAMILIES = (
    # With 16 ahead, 16 slots were in 1.35 pools on average, each one call more at every step. An
    # environment of Box2D is created in 40 us, one of MuJoCo in 2 ms, Fetch's in 16, Atari's in 60.
    Family(r"(BipedalWalker|LunarLander|CarRacing).*-v3", "envpool.box2d.registration", ahead=64),
    # Their steps are so cheap that more threads only slow them down.
    Family(
        r"(Acrobot|CartPole|MountainCar|MountainCarContinuous|Pendulum)-v\d",
        "envpool.classic_control.registration",
        threads=False,
        ahead=64,
    ),
    Family(rf"({_MUJOCO})-v\d", "envpool.mujoco.gym.registration"),
    Family(
        r"(Fetch|HandReach|HandManipulate|AntMaze|PointMaze|Adroit|FrankaKitchen).*-v\d",
        "envpool.mujoco.robotics.registration",
    ),
    Family(r"[A-Z][A-Za-z]+-v5", "envpool.atari.registration"),
    Family(r"(MiniGrid|BabyAI)-.*", "envpool.minigrid.registration", ahead=64),
)
_OTHER = Family("", "envpool.entry")

# What an environment is, and not how many there are, how they run, or which files they read.
_NOT_OPTIONS = re.compile(
    r"num_envs|batch_size|num_threads|max_num_players|thread_affinity_offset|base_path|seed|"
    r"env_seed|gym_reset_return_info|max_episode_steps|.*(_file|_path|_dir)|.*render.*"
)


class PoolSpec(NamedTuple):
    """An environment of EnvPool: Gymnasium's spaces, its step limit, its options' defaults."""

    observation_space: Any
    action_space: Any
    max_episode_steps: int
    options: Mapping[str, Any]


def family_of(env_id: str) -> Family:
    """Returns the family of the id, by its name."""
    return next((family for family in FAMILIES if re.fullmatch(family.ids, env_id)), _OTHER)


def envpool_for(env_id: str) -> Any:
    """Imports EnvPool with the family of `env_id` registered; raises ImportError."""
    if "envpool" not in sys.modules:
        sys.modules["envpool.entry"] = ModuleType("envpool.entry")
        try:
            importlib.import_module("envpool")
        finally:
            del sys.modules["envpool.entry"]
    envpool = importlib.import_module("envpool")
    family = family_of(env_id)
    if family is not _OTHER:
        importlib.import_module(family.module)
    return envpool


def has_env(env_id: str) -> bool:
    """Returns whether EnvPool can be loaded and has the environment, in any of its families."""
    try:
        envpool = envpool_for(env_id)
        if env_id in envpool.list_all_envs():
            return True
        importlib.import_module("envpool.entry")  # registers the families that are not yet
    except Exception:  # a broken installation counts as none
        return False
    return env_id in envpool.list_all_envs()


def known_ids() -> tuple[str, ...]:
    """Returns the ids that are registered so far, none without EnvPool."""
    envpool = sys.modules.get("envpool")
    return () if envpool is None else tuple(envpool.list_all_envs())


def spec_of(env_id: str, options: Mapping[str, Any]) -> PoolSpec:
    """Returns the environment's description; raises EnvError for an option that it lacks."""
    envpool = envpool_for(env_id)
    known = _options(envpool.make_spec(env_id).config)
    for name, value in options.items():
        if name not in known:
            raise EnvError(
                f"env.kwargs.{name} is no option of EnvPool's {env_id}; it has "
                f"{', '.join(sorted(known))}"
            )
        if type(value) is not type(known[name]) and not (
            isinstance(value, int) and isinstance(known[name], float)
        ):
            raise EnvError(
                f"env.kwargs.{name} must be of type {type(known[name]).__name__}, as its default "
                f"{known[name]}, got {value!r}"
            )
    try:
        with warnings_ignored():
            spec = envpool.make_spec(env_id, **options)
            spaces = spec.gymnasium_observation_space, spec.gymnasium_action_space
    except Exception as err:
        raise EnvError(
            f"env '{env_id}' cannot be created by EnvPool: {type(err).__name__}: {err}; check "
            f"env.kwargs {dict(options)}"
        ) from err
    return PoolSpec(*spaces, int(spec.config.max_episode_steps), known)


def _options(config: Any) -> dict[str, Any]:
    return {k: v for k, v in config._asdict().items() if not _NOT_OPTIONS.fullmatch(k)}


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Ignores warnings of Gymnasium's Box about the precision of EnvPool's bounds (not used)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
