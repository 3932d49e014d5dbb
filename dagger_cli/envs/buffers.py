"""Gymnasium environments that read actions from and write results to preallocated arrays.

The arrays may be in shared memory, so the same code serves this process and the workers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Space
from dagger_cli.envs.dict_rows import observer
from dagger_cli.envs.returned import (
    WrongReturn,
    interface_hint,
    picture,
    reset_observation,
    step_parts,
)
from dagger_cli.utils.time_limit import time_limit

_LONG = "longer than {:g} s (env.step_timeout)"
ALIGNMENT = 64  # one cache line, so that two workers never write to the same one


@dataclass(frozen=True)
class Buffers:
    """One row per slot: inputs (`active`, `seeds`, `actions`) and outputs."""

    active: Array  # (n,) bool: the slots that the next command is for
    seeds: Array  # (n,) int64
    actions: Array  # (n, *action_shape), in the action space's dtype
    obs: Array  # (n, *obs_shape), in the observation space's dtype
    rewards: Array  # (n,) float64
    terminated: Array  # (n,) bool
    truncated: Array  # (n,) bool

    def rows(self, rows: slice) -> Buffers:
        """Returns a view of some of the slots."""
        return Buffers(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def buffer_bytes(observation_space: Space, action_space: Space, n: int) -> int:
    """Returns the number of bytes that `map_buffers` needs."""
    return sum(size for _, _, size in _layout(observation_space, action_space, n))


def map_buffers(memory: Any, observation_space: Space, action_space: Space, n: int) -> Buffers:
    """Maps the buffers of n slots onto zeroed memory of at least `buffer_bytes`."""
    arrays, at = [], 0
    for shape, dtype, size in _layout(observation_space, action_space, n):
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(memory, dtype, count, at).reshape(shape))
        at += size
    return Buffers(*arrays)


def _layout(
    observation_space: Space, action_space: Space, n: int
) -> list[tuple[tuple[int, ...], np.dtype[Any], int]]:
    """Returns shape, dtype and padded size of each buffer, in the order of the fields."""
    columns: list[tuple[tuple[int, ...], str]] = [
        ((), "bool"),
        ((), "int64"),
        (action_space.shape, action_space.dtype),
        (observation_space.shape, observation_space.dtype),
        ((), "float64"),
        ((), "bool"),
        ((), "bool"),
    ]
    layout = []
    for shape, name in columns:
        dtype = np.dtype(name)
        size = n * int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        layout.append(((n, *shape), dtype, -(-size // ALIGNMENT) * ALIGNMENT))
    return layout


class Slots:
    """Environments created by `make`, one per row of the buffers, controlled by the rows' flags.

    With `fresh_simulator` every episode gets a new environment, for those whose `reset` keeps state
    of the last episode (BipedalWalker keeps its Box2D world). A step or reset that takes longer
    than `timeout` seconds ends in an EnvError, see utils/time_limit.py.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        fresh_simulator: bool,
        observation_space: Space,
        buffers: Buffers,
        timeout: float | None = None,
    ) -> None:
        self.buffers, self._timeout = buffers, timeout
        self._make = make
        self._fresh_simulator = fresh_simulator
        self._envs = [make() for _ in buffers.active]
        first = self._envs[0]
        self._observed = observer(first.observation_space, observation_space, first.spec.id)
        self._used = [False] * len(self._envs)

    def reset(self) -> None:
        """Starts an episode in each active slot from its seed."""
        self._each("reset", self._reset_one)

    def step(self) -> None:
        """Steps each active slot once."""
        self._each("step", self._step_one)

    def _each(self, doing: str, do: Callable[[int], None]) -> None:
        for slot in np.flatnonzero(self.buffers.active).tolist():
            try:
                if self._timeout is None:
                    do(slot)
                else:
                    with time_limit(self._timeout, TimeoutError(_LONG.format(self._timeout))):
                        do(slot)
            except (Exception, SystemExit) as err:
                raise self._failure(doing, slot, err) from err

    def frame(self, slot: int = 0) -> Array:
        """Returns the current frame of a slot, (height, width, 3) uint8."""
        try:
            return picture(self._envs[slot].render())
        except Exception as err:
            raise self._failure("render", slot, err) from err

    def close(self) -> None:
        """Closes all environments, ignoring their errors."""
        while self._envs:
            with suppress(Exception):
                self._envs.pop().close()

    def _reset_one(self, slot: int) -> None:
        if self._fresh_simulator and self._used[slot]:
            self._envs[slot].close()
            self._envs[slot] = self._make()
        self._used[slot] = True
        returned = self._envs[slot].reset(seed=int(self.buffers.seeds[slot]))
        self.buffers.obs[slot] = self._observed(reset_observation(returned))

    def _step_one(self, slot: int) -> None:
        buffers = self.buffers
        # A copy, because some environments keep a reference to their action.
        action = buffers.actions[slot].copy()
        obs, reward, terminated, truncated = step_parts(self._envs[slot].step(action))
        buffers.obs[slot] = self._observed(obs)
        buffers.rewards[slot] = reward
        buffers.terminated[slot] = terminated
        buffers.truncated[slot] = truncated

    def _failure(self, doing: str, slot: int, err: BaseException) -> EnvError:
        if isinstance(err, EnvError):
            return err
        env = self._envs[slot]
        if isinstance(err, WrongReturn):
            return EnvError(f"env '{env.spec.id}', {doing}(): {err}")
        what = f"{type(err).__name__}: {err}{interface_hint(env, doing, err)}"
        return EnvError(f"env '{env.spec.id}' failed in {doing}(): {what}")
