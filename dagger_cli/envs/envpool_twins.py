"""Which of EnvPool's environments are used in place of Gymnasium's."""

from __future__ import annotations

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Space
from dagger_cli.envs.envpool_engine import Pool
from dagger_cli.envs.envpool_ids import envpool_for, family_of, spec_of, warnings_ignored

INSTALL = "pip install 'envpool>=1.2.5' (it has wheels for Python 3.11 and later)"

# The ids that tests/envs/test_backends.py and test_mujoco_twins.py compare with Gymnasium's.
TWINS = (
    "BipedalWalker-v3",
    "BipedalWalkerHardcore-v3",
    "LunarLander-v3",
    "LunarLanderContinuous-v3",
    "Acrobot-v1",
    "CartPole-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    *(
        f"{robot}-v{version}"
        for robot in ("HalfCheetah", "Hopper", "Walker2d", "Swimmer", "Ant", "Humanoid")
        for version in (4, 5)
        # In v4 EnvPool's contact forces are 0, Gymnasium's are not.
        if (robot, version) != ("Humanoid", 4)
    ),
)


def _tested(env_id: str) -> bool:
    """Returns whether a test compares it with Gymnasium's; of Atari's games ten are compared."""
    return env_id in TWINS or family_of(env_id).module == "envpool.atari.registration"


def has_twin(env_id: str) -> bool:
    """Returns whether EnvPool loads and has a tested implementation of the environment."""
    try:
        if not _tested(env_id) or env_id not in envpool_for(env_id).list_all_envs():
            return False
        try_calls(env_id)
    except Exception:  # a broken installation counts as none, as EnvPool was not requested
        return False
    return True


def check_twin(env_id: str, observation_space: Space, action_space: Space) -> None:
    """Raises EnvError where EnvPool lacks the environment, or its spaces or calls differ."""
    try:
        envpool = envpool_for(env_id)
    except ImportError as err:
        raise EnvError(
            f"env.backend=envpool: EnvPool cannot be loaded ({err}); {INSTALL}, or start a run "
            "with env.backend=gymnasium"
        ) from err
    if env_id not in envpool.list_all_envs():
        raise EnvError(f"EnvPool has no env '{env_id}'; use env.backend=gymnasium")
    spec = spec_of(env_id, {})
    pairs = (spec.observation_space, observation_space), (spec.action_space, action_space)
    for found, expected in pairs:
        # Ignores the bounds (Gymnasium's are used), the dtype of actions, which are converted, and
        # the integer dtype of a choice.
        kind = {"Box": "box", "Discrete": "discrete"}.get(type(found).__name__)
        if (kind, found.shape) != (expected.kind, expected.shape) or (
            kind == "box" and expected is observation_space and found.dtype != expected.dtype
        ):
            raise EnvError(
                f"EnvPool's '{env_id}' has other spaces than Gymnasium's; use env.backend=gymnasium"
            )
    try_calls(env_id)


def try_calls(env_id: str) -> None:
    """Raises EnvError where EnvPool's calls are not those of version 1.2.5; takes 0.4 ms."""
    with warnings_ignored():
        Pool(envpool_for(env_id).make_gymnasium(env_id, num_envs=1, num_threads=1), 1)
