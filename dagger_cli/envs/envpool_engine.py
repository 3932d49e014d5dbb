"""EnvPool: Gymnasium's environments again, written in C++ and stepped by threads.

EnvPool takes an environment's seed when it is made, and starts ended ones anew by itself. Here each
episode is the first of an environment made for its seed, and none is stepped beyond its end: so an
episode depends on its seed and its actions alone, whoever is stepped beside it and by how many
threads, no step is ever a hidden reset, and an episode can be replayed. Making one takes 10 us.
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
# At least so many environments are made ahead. With 16 ahead 16 slots were in 1.35 pools on
# average, and each pool is a call more at every step.
_AHEAD = 64
LAST_SEED = 2**31 - 1  # EnvPool's seeds are int32
INSTALL = "pip install 'envpool>=1.2.5' (it has wheels for Python 3.11 and later)"

# The ids for which tests/envs/test_backends.py holds both to the same behaviour, and the module of
# EnvPool that has them; classic control is so cheap that threads only cost.
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
    """Whether EnvPool is installed, loads, and has a tested twin of the environment."""
    try:
        if env_id not in TWINS or env_id not in _envpool(env_id).list_all_envs():
            return False
        _try_calls(env_id)
    except Exception:  # a broken installation is as good as none where nobody asked for it
        return False
    return True


def check_twin(env_id: str, observation_space: Space, action_space: Space) -> None:
    """Raises EnvError where EnvPool lacks the environment, or has it with other spaces or calls."""
    try:
        envpool = _envpool(env_id)
    except ImportError as err:
        raise EnvError(
            f"env.backend=envpool: EnvPool cannot be loaded ({err}); {INSTALL}, or begin a run "
            "with env.backend=gymnasium"
        ) from err
    if env_id not in envpool.list_all_envs():
        raise EnvError(f"EnvPool has no env '{env_id}'; take env.backend=gymnasium")
    spec = envpool.make_spec(env_id)
    with _complaints_ignored():
        pairs = (
            (spec.gymnasium_observation_space, observation_space),
            (spec.gymnasium_action_space, action_space),
        )
    for theirs, ours in pairs:
        # Not the bounds (those of Gymnasium count), nor the integer that names a choice.
        kind = {"Box": "box", "Discrete": "discrete"}.get(type(theirs).__name__)
        if (kind, theirs.shape) != (ours.kind, ours.shape) or (
            kind == "box" and theirs.dtype != ours.dtype
        ):
            raise EnvError(
                f"EnvPool's '{env_id}' has other spaces than Gymnasium's; "
                "take env.backend=gymnasium"
            )
    _try_calls(env_id)


def _try_calls(env_id: str) -> None:
    """Raises EnvError where the environment takes other calls than are known here; takes 0.4 ms."""
    with _complaints_ignored():
        _Pool(_envpool(env_id).make_gymnasium(env_id, num_envs=1, num_threads=1), 1)


class _Pool:
    """Environments made together, and which slot plays in which of them (-1: none).

    They are stepped past EnvPool's own `send` and `recv`, whose Python takes 40 us to turn the same
    arrays into an info that nobody reads.
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
                "this version of EnvPool takes other calls than 1.2.5: pip install envpool==1.2.5, "
                "or take env.backend=gymnasium"
            ) from err
        self._dtype = env.spec.action_array_spec["action"].dtype

    def reset(self, places: Array) -> tuple[Array, Array]:
        """Start the episodes of these places; which slots they are of, and their observations."""
        obs, info = self._env.reset(places)
        return self.slots[info["env_id"]], obs

    def send(self, actions: Array, places: Array) -> None:
        """Begin a step of these places."""
        self._send([places, places, actions.astype(self._dtype, copy=False)])

    def recv(self) -> tuple[Array, Array, Array, Array, Array]:
        """Slots, observations, rewards, terminated and truncated of the step that was begun.

        EnvPool answers in any order it likes, and says which ones.
        """
        places, obs, rewards, done, truncated = self._pick(self._receive())
        return self.slots[places], obs, rewards, done & ~truncated, truncated


class PoolEngine:
    """Plays the active rows of the buffers; see the module's docstring.

    Environments are made a few dozen at a time, for the seeds asked for and those that follow, so
    that whoever counts seeds up gets most episodes from a pool that is there already.
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
        self._pool = np.full(n, -1)  # of each slot's episode
        self._place = np.zeros(n, np.int32)  # in its pool
        self._opened = 0
        self._active = b""  # which slots the groups are of
        self._groups: list[tuple[_Pool, Array, Array]] = []

    def reset(self) -> None:
        """Start an episode in each active slot from its seed."""
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
        """Act once in each active slot."""
        buffers = self._buffers
        active = buffers.active.tobytes()
        if active != self._active:  # hardly ever, between two resets
            groups = self._by_pool(np.flatnonzero(buffers.active))
            self._active, self._groups = active, groups
        for pool, here, places in self._groups:
            pool.send(buffers.actions[here], places)
        for pool, _, _ in self._groups:
            here, obs, rewards, terminated, truncated = pool.recv()
            buffers.obs[here], buffers.rewards[here] = obs, rewards
            buffers.terminated[here], buffers.truncated[here] = terminated, truncated

    def close(self) -> None:
        """End the threads; may be called twice."""
        self._pools.clear()
        self._groups.clear()
        self._waiting.clear()

    def _by_pool(self, slots: Array) -> list[tuple[_Pool, Array, Array]]:
        """The pools of these slots, with the slots and the places that are in each."""
        keys = self._pool[slots]
        parts = [(int(key), slots[keys == key]) for key in np.unique(keys)]
        return [(self._pools[key], here, self._place[here]) for key, here in parts]

    def _seat(self, slots: Array, seeds: list[int]) -> None:
        """Give every slot an environment of its seed that has not been played in."""
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
        """A new pool: these slots' seeds first, then the seeds that follow the highest."""
        seeds = self._buffers.seeds[slots].tolist()
        following = range(max(seeds) + 1, max(seeds) + 1 + max(len(self._place), _AHEAD))
        seeds += [seed for seed in following if seed <= LAST_SEED]
        limit = {} if self._limit is None else {"max_episode_steps": self._limit}
        with _complaints_ignored():
            env = self._make(self._id, num_envs=len(seeds), seed=seeds, **self._running, **limit)
            _ = env.observation_space  # EnvPool makes it at the first step otherwise, and complains
        key, self._opened = self._opened, self._opened + 1
        self._pools[key] = _Pool(env, len(seeds))
        self._pool[slots], self._place[slots] = key, np.arange(len(slots))
        self._waiting = {seeds[place]: (key, place) for place in range(len(slots), len(seeds))}

    def _drop_unused(self) -> None:
        used = {*self._pool.tolist(), self._opened - 1}
        for key in self._pools.keys() - used:
            del self._pools[key]


def _first_core(threads: int) -> int:
    """Where a thread for every core of the machine is bound to one: from core 0; else -1, nowhere.

    While the networks answer the threads fall asleep, and woken together they were left on one core
    in 20 to 60 % of steps, the other idle: a step of 16 walkers took 0.78 ms instead of 0.46.
    """
    free = getattr(os, "sched_getaffinity", None)
    return 0 if free and threads == len(free(0)) == os.cpu_count() else -1


def _envpool(env_id: str) -> Any:
    """EnvPool with the family of `env_id` registered; raises ImportError."""
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
def _complaints_ignored() -> Iterator[None]:
    """Gymnasium's Box warns about the precision of EnvPool's bounds, which nobody uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
