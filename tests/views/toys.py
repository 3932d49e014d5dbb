"""A small deterministic environment with named parts, and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dagger_cli.core.types import Array, Observation, Space, Step

SEEN = Space("box", (4,), "float64", (-9.0,) * 4, (9.0,) * 4)
PUSH = Space("box", (1,), "float32", (-1.0,), (1.0,))
CHOICE = Space("discrete", (), "int64", sizes=(3,), start=1)


class Counter:
    """Shows (seed, steps, 10 + steps, last action); an episode has 5 + seed % 3 steps."""

    observation_space = SEEN

    def __init__(self, n_envs: int, action_space: Space = PUSH, *, private: bool = False) -> None:
        self.n_envs, self.action_space, self._private = n_envs, action_space, private
        self._seeds, self._steps = np.zeros(n_envs, np.int64), np.zeros(n_envs, np.int64)
        self._last = np.zeros(n_envs)

    @property
    def observation(self) -> Observation:
        columns = (self._seeds, self._steps, 10 + self._steps, self._last)
        hidden = 100 + self._seeds if self._private else None
        return Observation(np.stack(columns, 1).astype(float), self._steps, hidden)

    def reset(self, slots: Array, seeds: Array) -> None:
        self._seeds[slots], self._steps[slots], self._last[slots] = seeds, 0, 0

    def step(self, slots: Array, actions: Array) -> Step:
        self._steps[slots] += 1
        self._last[slots] = actions.reshape(-1)
        never = np.zeros(len(slots), bool)
        return Step(
            np.ones(len(slots)), self._steps[slots] >= 5 + self._seeds[slots] % 3, never, never
        )

    def snapshot(self) -> Mapping[str, Array]:
        own = {"seeds": self._seeds, "steps": self._steps, "last": self._last}
        return {name: array.copy() for name, array in own.items()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        assert snapshot.keys() == {"seeds", "steps", "last"}
        self._seeds[:], self._steps[:] = snapshot["seeds"], snapshot["steps"]
        self._last[:] = snapshot["last"]

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Source:
    """Its parts are the episode's seed (who), two positions and a velocity."""

    action_space: Space = PUSH
    private: bool = False
    id: str = "Counter"
    horizon: int = 7
    most_slots: int = 5
    observation_space: Space = SEEN

    @property
    def parts(self) -> Mapping[str, tuple[int, int]]:
        return {"who": (0, 1), "positions": (1, 3), "velocities": (3, 4)}

    def open(self, n_envs: int) -> Counter:
        return Counter(n_envs, self.action_space, private=self.private)
