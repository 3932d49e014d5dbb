"""EnvPool: Gymnasium's environments reimplemented in C++ and stepped by threads.

EnvPool takes an environment's seed at its creation, and resets ended environments by itself. Here
each episode is the first of an environment created for its seed, and none is stepped beyond its
end. So an episode depends on its seed and its actions alone, not on the other slots or the number
of threads, no step is a hidden reset, and an episode can be replayed. A
creation takes 10 us (CartPole) to 60 ms (Atari).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array
from dagger_cli.envs.buffers import Buffers
from dagger_cli.envs.dict_rows import DictRows
from dagger_cli.envs.envpool_ids import envpool_for, family_of, warnings_ignored

_SENT = ["env_id", "players.env_id", "action"]
_RECEIVED = ("info:env_id", "reward", "done", "trunc")
LAST_SEED = 2**31 - 1  # EnvPool's seeds are int32


class Pool:
    """Environments created together, and the slot of each (-1: none).

    They bypass EnvPool's own `send` and `recv`, whose Python code takes 40 us to convert the same
    arrays to an info dictionary that is not used. `layout` describes Dict observations; `hidden`
    is the entry of the info dictionary that experts see, None for none.
    """

    def __init__(
        self, env: Any, size: int, layout: DictRows | None = None, hidden: str | None = None
    ) -> None:
        self.slots = np.full(size, -1)
        self._env, self._layout, self._hidden = env, layout, hidden
        names = ["obs"] if layout is None else [f"obs:{part.name}" for part in layout.parts]
        names += [] if hidden is None else [f"info:{hidden}"]
        try:
            if list(env.spec.action_array_spec) != _SENT:
                raise ValueError
            self._receive, self._send = env._recv, env._send
            self._pick = itemgetter(*map(env._state_keys.index, (*_RECEIVED, *names)))
        except (AttributeError, ValueError) as err:
            raise EnvError(
                "this version of EnvPool has other calls than 1.2.5: pip install envpool==1.2.5, "
                "or use env.backend=gymnasium"
            ) from err
        self._dtype = env.spec.action_array_spec["action"].dtype

    def reset(self, places: Array) -> tuple[Array, Array, Array | None]:
        """Starts the episodes at these places; returns slots, observations, what is hidden."""
        obs, info = self._env.reset(places)
        if self._layout is not None:
            obs = self._layout.rows([obs[part.name] for part in self._layout.parts])
        hidden = None if self._hidden is None else info[self._hidden]
        return self.slots[info["env_id"]], obs, hidden

    def send(self, actions: Array, places: Array) -> None:
        """Starts a step at these places."""
        self._send([places, places, actions.astype(self._dtype, copy=False)])

    def recv(self) -> tuple[Array, Array, Array, Array, Array, Array | None]:
        """Returns slots, observations, rewards, terminated, truncated and what is hidden.

        EnvPool returns them in any order, with their indices.
        """
        places, rewards, done, truncated, *columns = self._pick(self._receive())
        hidden = None if self._hidden is None else columns.pop()
        obs = columns[0] if self._layout is None else self._layout.rows(columns)
        return self.slots[places], obs, rewards, done & ~truncated, truncated, hidden


class PoolEngine:
    """Engine for the active rows of the buffers; see the module's docstring.

    Environments are created several at a time, for the requested seeds and the following ones, so
    that consecutive seeds mostly find an existing environment. `options` are EnvPool's own.
    """

    def __init__(
        self,
        env_id: str,
        options: Mapping[str, Any],
        max_episode_steps: int | None,
        threads: int,
        buffers: Buffers,
        layout: DictRows | None = None,
        hidden: str | None = None,
    ) -> None:
        self._make = envpool_for(env_id).make_gymnasium
        self._id, self._options, self._layout = env_id, dict(options), layout
        if max_episode_steps is not None:
            self._options["max_episode_steps"] = max_episode_steps
        family = family_of(env_id)
        self._ahead = family.ahead
        threads = threads if family.threads else 1
        self._running = {"num_threads": threads, "thread_affinity_offset": _first_core(threads)}
        self._buffers = buffers
        n = len(buffers.active)
        self._hidden = hidden
        #: What experts see besides, (n, ...), None without `hidden`.
        self.privileged = None if hidden is None else self._blank(n, hidden)
        self._pools: dict[int, Pool] = {}
        self._waiting: dict[int, tuple[int, int]] = {}  # seed -> pool and place not yet played
        self._pool = np.full(n, -1)  # by slot: pool of its episode
        self._place = np.zeros(n, np.int32)  # by slot: index within its pool
        self._opened = 0
        self._active = b""  # the active slots that the groups are for
        self._groups: list[tuple[Pool, Array, Array]] = []

    def reset(self) -> None:
        """Starts an episode in each active slot from its seed."""
        slots = np.flatnonzero(self._buffers.active)
        self._pool[slots] = -1
        self._seat(slots, self._buffers.seeds[slots].tolist())
        for pool, here, places in self._by_pool(slots):
            pool.slots[places] = here
            here, obs, hidden = pool.reset(places)
            self._buffers.obs[here] = obs
            if self.privileged is not None:
                self.privileged[here] = hidden
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
            here, obs, rewards, terminated, truncated, hidden = pool.recv()
            buffers.obs[here], buffers.rewards[here] = obs, rewards
            buffers.terminated[here], buffers.truncated[here] = terminated, truncated
            if self.privileged is not None:
                self.privileged[here] = hidden

    def _blank(self, n: int, hidden: str) -> Array:
        """Returns zeros (n, ...) as EnvPool declares the info; raises EnvError for another name."""
        spec = envpool_for(self._id).make_spec(self._id, **self._options).state_array_spec
        info = spec.get(f"info:{hidden}")
        if info is None:
            names = [key.removeprefix("info:") for key in spec if key.startswith("info:")]
            raise EnvError(
                f"env.hidden={hidden} is nothing that EnvPool's {self._id} tells; it has "
                f"{', '.join(names)}"
            )
        return np.zeros((n, *info.shape), info.dtype)

    def close(self) -> None:
        """Ends the threads; may be called twice."""
        self._pools.clear()
        self._groups.clear()
        self._waiting.clear()

    def _by_pool(self, slots: Array) -> list[tuple[Pool, Array, Array]]:
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
        following = range(max(seeds) + 1, max(seeds) + 1 + max(len(self._place), self._ahead))
        seeds += [seed for seed in following if seed <= LAST_SEED]
        with warnings_ignored():
            env = self._make(
                self._id, num_envs=len(seeds), seed=seeds, **self._running, **self._options
            )
            _ = env.observation_space  # created here, because it warns when it is created
        key, self._opened = self._opened, self._opened + 1
        self._pools[key] = Pool(env, len(seeds), self._layout, self._hidden)
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
