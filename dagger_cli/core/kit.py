"""What an algorithm may use: the environment, the expert, the learner, the budget and chance."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Allocate, Dataset, aggregate, resampled
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.schedules import Progress
from dagger_cli.core.seeds import EpisodeSeeds
from dagger_cli.core.types import Array, Env, Expert, Fitted, Policy, SafetyExpert, Space, Usage


class Learner(Protocol):
    """A function class and how it is fitted."""

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fit on every row of `data`; `start` is what a warm-starting learner goes on from."""
        ...

    def loss(self, policy: Policy, data: Dataset) -> float:
        """The mean loss that `fit` minimises (without regularisation) of a fitted policy."""
        ...

    def pack(self, policy: Policy) -> dict[str, Array]:
        """A fitted policy as named arrays, with whatever a later `fit` needs to go on from it."""
        ...

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """The inverse of `pack`, bit for bit; raises CheckpointError where they do not fit."""
        ...


@runtime_checkable
class HasFinalFit(Protocol):
    """A learner that fits otherwise where the policy is to be kept than where it is to visit."""

    def for_final_fit(self) -> Learner:
        """The same one, for the last fit on all rounds."""
        ...


@dataclass(frozen=True)
class RngStreams:
    """Separate sources of chance, so that who acts never changes which episodes are played.

    `regret` is for what is only measured: measuring more or less must not change what is learned.
    """

    env: EpisodeSeeds
    actor: Generator
    learner: Generator
    regret: Generator

    _GENERATORS: ClassVar = ("actor", "learner", "regret")

    @classmethod
    def spawn(cls, seed: int) -> RngStreams:
        """Independent streams that depend on the seed alone."""
        env, *others = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4))
        return cls(EpisodeSeeds(env), *others)

    def save(self) -> dict[str, Any]:
        """Every stream's state as JSON-able numbers."""
        states = {name: getattr(self, name).bit_generator.state for name in self._GENERATORS}
        return {"env": self.env.save(), **states}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Put every stream back to a saved state."""
        self.env.load(saved["env"])
        for name in self._GENERATORS:
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
    """The nouns of an algorithm. `rng` and `clock` are the mutable things in it.

    `horizon` is the episode limit in steps, None without one; `scratch` has as many slots as `env`
    and restores states of `env` to try actions there, for trainers with `needs_state_restore`;
    `learner_for` makes a learner like `learner` for another action space; `safety_expert` is the
    expert where the learner's loss uses its unsafe actions.
    """

    env: Env
    expert: Expert
    learner: Learner
    budget: Budget
    rng: RngStreams
    horizon: int | None = None
    scratch: Env | None = None
    learner_for: Callable[[Space], Learner] | None = None
    safety_expert: SafetyExpert | None = None
    allocate: Allocate = np.empty
    clock: Stopwatch = field(default_factory=Stopwatch)

    def aggregate(self, data: Dataset | None, fresh: Dataset) -> Dataset:
        """All rows so far, with room for those of the whole run."""
        return aggregate(data, fresh, capacity=self.budget.total, allocate=self.allocate)

    def fit(self, data: Dataset, start: Policy | None) -> Fitted:
        """Fit the learner on all rows of `data`, going on from `start` where it does so."""
        learner = self.learner
        if len(data.rounds) == self.budget.rounds and isinstance(learner, HasFinalFit):
            learner = learner.for_final_fit()
        with self.clock("fit"):
            rows = resampled(data, self.rng.learner)
            fitted = learner.fit(rows, start, self.rng.learner)
        if not math.isfinite(fitted.loss):
            raise ConfigError(
                f"the fit diverged: its loss is {fitted.loss}; try a smaller policy.learning_rate, "
                "and see whether observations and labels are as they should be"
            )
        return fitted

    def progress(self, round: int, usage: Usage) -> Progress:
        """How far a run is that is about to start `round` and has spent this much."""
        return Progress(round, self.budget.rounds, min(1.0, usage.labels / self.budget.total))

    def close(self) -> None:
        """Release the environments; may be called twice."""
        for env in (self.env, self.scratch):
            if env is not None:
                env.close()
