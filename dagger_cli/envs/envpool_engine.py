"""EnvPool: Gymnasium's environments reimplemented in C++ and stepped by threads.

EnvPool takes an environment's seed at its creation, and resets ended environments by itself. Here
each episode is the first of an environment created for its seed, and none is stepped beyond its
end. So an episode depends on its seed and its actions alone, not on the other slots or the number
of threads, no step is a hidden reset, and an episode can be replayed. A creation takes 10 us.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from types import ModuleType
from typing import Any

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Space
from dagger_cli.envs.buffers import Buffers

_SENT = ["env_id", "players.env_id", "action"]
_RECEIVED = ("info:env_id", "obs", "reward", "done", "trunc")
# At least this many environments are created ahead. With 16 ahead, 16 slots were in 1.35 pools on
# average, and each pool takes one more call at every step.
_AHEAD = 64
LAST_SEED = 2**31 - 1  # EnvPool's seeds are int32
INSTALL = "pip install 'envpool>=1.2.5' (it has wheels for Python 3.11 and later)"

# The ids that tests/envs/test_backends.py compares with Gymnasium's, and the module of EnvPool that
# has them; classic control steps are so cheap that more threads only slow them down.
_BOX2D, _CLASSIC = "envpool.box2d", "envpool.classic_control"
TWINS = {
    "BipedalWalker-v3": _BOX2D,
    "BipedalWalkerHardcore-v3": _BOX2D,
    "LunarLander-v3": _BOX2D,
    "LunarLanderContinuous-v3": _BOX2D,
    "Acrobot-v1": _CLASSIC,
    "CartPole-v1": _CLASSIC,
    "MountainCar-v0": _CLASSIC,
    "MountainCarContinuous-v0": _CLASSIC,
    "Pendulum-v1": _CLASSIC,
}


def has_twin(env_id: str) -> bool:
    """Returns whether EnvPool loads and has a tested implementation of the environment."""
    try:
        if env_id not in TWINS or env_id not in _envpool(env_id).list_all_envs():
            return False
        _try_calls(env_id)
    except Exception:  # a broken installation counts as none, as EnvPool was not requested
        return False
    return True


def check_twin(env_id: str, observation_space: Space, action_space: Space) -> None:
    """Raises EnvError where EnvPool lacks the environment, or its spaces or calls differ."""
    try:
        envpool = _envpool(env_id)
    except ImportError as err:
        raise EnvError(
            f"env.backend=envpool: EnvPool cannot be loaded ({err}); {INSTALL}, or start a run "
            "with env.backend=gymnasium"
        ) from err
    if env_id not in envpool.list_all_envs():
        raise EnvError(f"EnvPool has no env '{env_id}'; use env.backend=gymnasium")
    spec = envpool.make_spec(env_id)
    with _warnings_ignored():
        pairs = (
            (spec.gymnasium_observation_space, observation_space),
            (spec.gymnasium_action_space, action_space),
        )
    for found, expected in pairs:
        # Ignores the bounds (Gymnasium's are used) and the integer dtype of a choice.
        kind = {"Box": "box", "Discrete": "discrete"}.get(type(found).__name__)
        if (kind, found.shape) != (expected.kind, expected.shape) or (
            kind == "box" and found.dtype != expected.dtype
        ):
            raise EnvError(
                f"EnvPool's '{env_id}' has other spaces than Gymnasium's; use env.backend=gymnasium"
            )
    _try_calls(env_id)


def _try_calls(env_id: str) -> None:
    """Raises EnvError where EnvPool's calls are not those of version 1.2.5; takes 0.4 ms."""
    with _warnings_ignored():
        _Pool(_envpool(env_id).make_gymnasium(env_id, num_envs=1, num_threads=1), 1)


class _Pool:
    """Environments created together, and the slot of each (-1: none).

    They bypass EnvPool's own `send` and `recv`, whose Python code takes 40 us to convert the same
    arrays to an info dictionary that is not used.
    """

    def __init__(self, env: Any, size: int) -> None:
        self.slots = np.full(size, -1)
        self._env = env
        try:
            if list(env.spec.action_array_spec) != _SENT:
                raise ValueError
            self._receive, self._send = env._recv, env._send
            self._pick = itemgetter(*map(env._state_keys.index, _RECEIVED))
        except (AttributeError, ValueError) as err:
            raise EnvError(
                "this version of EnvPool has other calls than 1.2.5: pip install envpool==1.2.5, "
                "or use env.backend=gymnasium"
            ) from err
        self._dtype = env.spec.action_array_spec["action"].dtype

    def reset(self, places: Array) -> tuple[Array, Array]:
        """Starts the episodes at these places; returns their slots and observations."""
        obs, info = self._env.reset(places)
        return self.slots[info["env_id"]], obs

    def send(self, actions: Array, places: Array) -> None:
        """Starts a step at these places."""
        self._send([places, places, actions.astype(self._dtype, copy=False)])

    def recv(self) -> tuple[Array, Array, Array, Array, Array]:
        """Returns slots, observations, rewards, terminated and truncated of the started step.

        EnvPool returns them in any order, with their indices.
        """
        places, obs, rewards, done, truncated = self._pick(self._receive())
        return self.slots[places], obs, rewards, done & ~truncated, truncated


class PoolEngine:
    """Engine for the active rows of the buffers; see the module's docstring.

    Environments are created a few dozen at a time, for the requested seeds and the following ones,
    so that consecutive seeds mostly find an existing environment.
    """

    def __init__(
        self, env_id: str, max_episode_steps: int | None, threads: int, buffers: Buffers
    ) -> None:
        self._make = _envpool(env_id).make_gymnasium
        self._id, self._limit = env_id, max_episode_steps
        threads = 1 if TWINS.get(env_id) == _CLASSIC else threads
        self._running = {"num_threads": threads, "thread_affinity_offset": _first_core(threads)}
        self._buffers = buffers
        n = len(buffers.active)
        self._pools: dict[int, _Pool] = {}
        self._waiting: dict[int, tuple[int, int]] = {}  # seed -> pool and place not yet played
        self._pool = np.full(n, -1)  # by slot: pool of its episode
        self._place = np.zeros(n, np.int32)  # by slot: index within its pool
        self._opened = 0
        self._active = b""  # the active slots that the groups are for
        self._groups: list[tuple[_Pool, Array, Array]] = []

    def reset(self) -> None:
        """Starts an episode in each active slot from its seed."""
        slots = np.flatnonzero(self._buffers.active)
        self._pool[slots] = -1
        self._seat(slots, self._buffers.seeds[slots].tolist())
        for pool, here, places in self._by_pool(slots):
            pool.slots[places] = here
            here, obs = pool.reset(places)
            self._buffers.obs[here] = obs
        self._drop_unused()
        self._active, self._groups = b"", []

    def step(self) -> None:
        """Steps each active slot once."""
        buffers = self._buffers
        active = buffers.active.tobytes()
        if active != self._active:  # rare between two resets
            groups = self._by_pool(np.flatnonzero(buffers.active))
            self._active, self._groups = active, groups
        for pool, here, places in self._groups:
            pool.send(buffers.actions[here], places)
        for pool, _, _ in self._groups:
            here, obs, rewards, terminated, truncated = pool.recv()
            buffers.obs[here], buffers.rewards[here] = obs, rewards
            buffers.terminated[here], buffers.truncated[here] = terminated, truncated

    def close(self) -> None:
        """Ends the threads; may be called twice."""
        self._pools.clear()
        self._groups.clear()
        self._waiting.clear()

    def _by_pool(self, slots: Array) -> list[tuple[_Pool, Array, Array]]:
        """Groups slots by pool: pool, its slots, and their places in it."""
        keys = self._pool[slots]
        parts = [(int(key), slots[keys == key]) for key in np.unique(keys)]
        return [(self._pools[key], here, self._place[here]) for key, here in parts]

    def _seat(self, slots: Array, seeds: list[int]) -> None:
        """Assigns every slot an unused environment of its seed."""
        missing = []
        for slot, seed in zip(slots.tolist(), seeds, strict=True):
            seat = self._waiting.pop(seed, None)
            if seat is None:
                missing.append(slot)
            else:
                self._pool[slot], self._place[slot] = seat
        if missing:
            self._open(missing)

    def _open(self, slots: list[int]) -> None:
        """Creates a pool for the seeds of these slots and those that follow the highest."""
        seeds = self._buffers.seeds[slots].tolist()
        following = range(max(seeds) + 1, max(seeds) + 1 + max(len(self._place), _AHEAD))
        seeds += [seed for seed in following if seed <= LAST_SEED]
        limit = {} if self._limit is None else {"max_episode_steps": self._limit}
        with _warnings_ignored():
            env = self._make(self._id, num_envs=len(seeds), seed=seeds, **self._running, **limit)
            _ = env.observation_space  # created here, because it warns when it is created
        key, self._opened = self._opened, self._opened + 1
        self._pools[key] = _Pool(env, len(seeds))
        self._pool[slots], self._place[slots] = key, np.arange(len(slots))
        self._waiting = {seeds[place]: (key, place) for place in range(len(slots), len(seeds))}

    def _drop_unused(self) -> None:
        used = {*self._pool.tolist(), self._opened - 1}
        for key in self._pools.keys() - used:
            del self._pools[key]


def _first_core(threads: int) -> int:
    """Returns 0 to bind threads to cores from core 0, if there is one thread per core, else -1.

    The threads sleep during the forward pass of the networks. Unbound, two of them then woke on one
    core in 20 to 60 % of steps, the other idle: a step of 16 walkers took 0.78 ms, bound 0.46.
    """
    free = getattr(os, "sched_getaffinity", None)
    return 0 if free and threads == len(free(0)) == os.cpu_count() else -1


def _envpool(env_id: str) -> Any:
    """Imports EnvPool with the family of `env_id` registered; raises ImportError."""
    if "envpool" not in sys.modules:
        # Its own import registers all families, and matplotlib with one: 0.7 s instead of 0.1.
        sys.modules["envpool.entry"] = ModuleType("envpool.entry")
        try:
            importlib.import_module("envpool")
        finally:
            del sys.modules["envpool.entry"]
    envpool = importlib.import_module("envpool")
    family = TWINS.get(env_id)
    importlib.import_module("envpool.entry" if family is None else f"{family}.registration")
    return envpool


@contextmanager
def _warnings_ignored() -> Iterator[None]:
    """Ignores warnings of Gymnasium's Box about the precision of EnvPool's bounds (not used)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
