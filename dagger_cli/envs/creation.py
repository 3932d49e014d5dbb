"""Creates a Gymnasium environment by its id, and says in one sentence why that is impossible."""

from __future__ import annotations

import multiprocessing
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.envs.envpool_ids import known_ids
from dagger_cli.utils.imports import import_named, shadowed

# Packages whose ids are registered when they are imported.
PACKAGES = {
    r"ALE/|.*NoFrameskip-v\d": "ale_py",
    r"(MiniGrid|BabyAI)-": "minigrid",
    r"Panda(Reach|Push|Slide|PickAndPlace|Stack|Flip)": "panda_gym",
    r"(Fetch|HandReach|HandManipulate|AntMaze|PointMaze|Adroit)": "gymnasium_robotics",
    r".*BulletEnv-": "pybullet_envs_gymnasium",
    r".*NoVel-v\d": "rl_zoo3.import_envs",
    r"(highway|merge|roundabout|parking|intersection|racetrack)-": "highway_env",
}
# Modules of the environments whose reset() keeps the Box2D world, which affects later episodes.
KEEP_THEIR_WORLD = ("gymnasium.envs.box2d.bipedal_walker", "gymnasium.envs.box2d.car_racing")

_warned: set[str] = set()  # what simulators have warned of in this process


class Unavailable(EnvError):
    """Gymnasium cannot create the environment in this installation, with any options."""


def create(
    env_id: str,
    imports: str | Sequence[str] | None,
    kwargs: Mapping[str, Any],
    max_episode_steps: int | None,
) -> Any:
    """Imports the modules and returns `gymnasium.make` of the id; raises EnvError, Unavailable."""
    import gymnasium
    from gymnasium.error import DependencyNotInstalled, UnregisteredEnv

    modules = _imported(imports, env_id)
    _register_game(env_id)
    try:
        with swig_warnings_ignored(), warnings_once():
            return gymnasium.make(
                env_id, max_episode_steps=max_episode_steps, disable_env_checker=True, **kwargs
            )
    except UnregisteredEnv as err:
        raise Unavailable(_unknown_id(env_id, modules)) from err
    except (DependencyNotInstalled, ImportError) as err:
        # Gymnasium raises ImportError for environments that it no longer has.
        raise Unavailable(f"env '{env_id}' needs a package that is not installed: {err}") from err
    except Exception as err:
        hint = f"; check env.kwargs {dict(kwargs)}" if kwargs else ""
        what = f"{type(err).__name__}: {err}"
        raise EnvError(f"env '{env_id}' cannot be created: {what}{hint}") from err


def _register_game(env_id: str) -> None:
    """Registers `Pong-v5` and the like, which are names of EnvPool's, where Atari is installed."""
    game = re.fullmatch(r"([A-Z][A-Za-z]+)-v5", env_id)
    if game is None or find_spec("ale_py") is None:
        return
    import ale_py
    import gymnasium

    gymnasium.register_envs(ale_py)
    if f"{game[1]}NoFrameskip-v4" in gymnasium.registry and env_id not in gymnasium.registry:
        gymnasium.register(
            env_id,
            "dagger_cli.envs.atari_gym:preprocessed",
            max_episode_steps=27_000,  # of 4 frames: half an hour of play, as in EnvPool
            kwargs={"name": game[1]},
        )


def _imported(imports: str | Sequence[str] | None, env_id: str) -> list[ModuleType]:
    """Imports the modules of `env.import` and the one of an id `module:Name-v0`."""
    names = [imports] if isinstance(imports, str) else imports or ()
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"env.import must name modules, got {imports}")
    of_id, modules = [env_id.partition(":")[0]] if ":" in env_id else [], []
    for name in (*names, *of_id):
        try:
            modules.append(import_named(name))
        except (Exception, SystemExit) as err:
            key = "env.import" if name in names else f"env.id={env_id}"
            raise EnvError(
                f"{key}: cannot import '{name}' ({type(err).__name__}: {err}); "
                "install it, or start in its folder"
            ) from err
    return modules


def keeps_its_world(env: Any) -> bool:
    """Returns whether `reset` of this environment keeps state of the last episode."""
    return any(kind.__module__ in KEEP_THEIR_WORLD for kind in type(env.unwrapped).__mro__)


def _unknown_id(env_id: str, modules: Sequence[ModuleType]) -> str:
    import gymnasium

    ids = {known.lower(): known for known in (*gymnasium.registry, *known_ids())}
    near = [ids[word] for word in get_close_matches(env_id.lower(), ids, n=3)]
    nearest = f"; nearest: {', '.join(near)}" if near else ""
    package = next((name for ids, name in PACKAGES.items() if re.match(ids, env_id)), None)
    if package is not None and package not in sys.modules:
        return f"env '{env_id}' is registered by another package: add env.import={package}"
    hidden = "".join(map(shadowed, modules))
    return (
        f"Gymnasium has no env '{env_id}'{nearest} "
        f"(to import a package that registers it, add env.import=my_package){hidden}"
    )


@contextmanager
def warnings_once() -> Iterator[None]:
    """Shows each warning of a simulator once in a process, and none in worker processes."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    if multiprocessing.parent_process() is not None:
        return
    for warning in caught:
        text = str(warning.message)
        if text not in _warned:
            _warned.add(text)
            warnings.showwarning(
                warning.message, warning.category, warning.filename, warning.lineno
            )


@contextmanager
def swig_warnings_ignored() -> Iterator[None]:
    """Ignores the warning of Box2D's SWIG layer at import, which fails if warnings are errors."""
    if "Box2D" in sys.modules:
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "builtin type", DeprecationWarning)
        yield
