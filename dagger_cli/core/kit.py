"""What an algorithm may use: the environment, the expert, the learner, the budget and chance."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.schedules import Progress
from dagger_cli.core.types import Array, Env, Expert, Fitted, Policy, Spent


class Learner(Protocol):
    """A function class and how it is fitted."""

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fit on every row of `data`; `start` is what a warm-starting learner goes on from."""
        ...

    def pack(self, policy: Policy) -> dict[str, Array]:
        """A fitted policy as named arrays, with whatever a later `fit` needs to go on from it."""
        ...

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """The inverse of `pack`, bit for bit; raises CheckpointError where they do not fit."""
        ...


@dataclass(frozen=True)
class Streams:
    """Separate random streams, so that who acts never changes which episodes are played."""

    env: Generator
    actor: Generator
    learner: Generator

    _NAMES: ClassVar = ("env", "actor", "learner")

    @classmethod
    def spawn(cls, seed: int) -> Streams:
        """Independent streams that depend on the seed alone."""
        return cls(*map(np.random.default_rng, np.random.SeedSequence(seed).spawn(3)))

    def save(self) -> dict[str, Any]:
        """Every stream's state as JSON-able numbers."""
        return {name: getattr(self, name).bit_generator.state for name in self._NAMES}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Put every stream back to a saved state."""
        for name in self._NAMES:
            getattr(self, name).bit_generator.state = saved[name]


class Stopwatch:
    """Seconds spent under each name since the last `lap`."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count the time of the `with` block under `name`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begin

    def lap(self) -> dict[str, float]:
        """What was counted since the last lap; starts anew."""
        seconds, self._seconds = self._seconds, {}
        return seconds


@dataclass(frozen=True)
class Kit:
    """The nouns of an algorithm. `rng` and `clock` are the mutable things in it."""

    env: Env
    expert: Expert
    learner: Learner
    budget: Budget
    rng: Streams
    clock: Stopwatch = field(default_factory=Stopwatch)

    def fit(self, data: Dataset, start: Policy | None) -> Fitted:
        """Fit the learner on all rows of `data`, going on from `start` where it does so."""
        with self.clock("fit"):
            return self.learner.fit(data, start, self.rng.learner)

    def progress(self, round: int, spent: Spent) -> Progress:
        """How far a run is that is about to start `round` and has spent this much."""
        return Progress(round, self.budget.rounds, min(1.0, spent.labels / self.budget.total))
