"""The objects a trainer works with: environment, expert, learner, budget and random streams."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.compact import Form
from dagger_cli.core.dataset import Dataset, aggregate, resampled
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.growing import Allocate
from dagger_cli.core.recorded import Recorded
from dagger_cli.core.schedules import Progress
from dagger_cli.core.seeds import EpisodeSeeds
from dagger_cli.core.types import Array, Env, Expert, Fitted, Policy, SafetyExpert, Space, Usage


class Learner(Protocol):
    """A policy class and its fitting procedure."""

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fits a policy on every row of `data`; a warm-starting learner continues from `start`."""
        ...

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the mean loss, as minimized by `fit` but without regularization, of a policy."""
        ...

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns a fitted policy as named arrays, with all that a later `fit` continues from."""
        ...

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Inverts `pack`, bit for bit; raises CheckpointError where the arrays do not fit."""
        ...


@runtime_checkable
class HasFinalFit(Protocol):
    """Learner with a different fit for the final policy than for those that collect data."""

    def for_final_fit(self) -> Learner:
        """Returns the learner for the last fit, on all rounds."""
        ...


@runtime_checkable
class FitsMembers(Protocol):
    """Learner that fits the members of an ensemble: in less time, or so that they differ."""

    def fit_members(
        self, data: Dataset, starts: Sequence[Policy | None], rng: Generator
    ) -> list[Fitted]:
        """Fits a policy from each of `starts`."""
        ...


@dataclass(frozen=True)
class RngStreams:
    """Independent random streams: which policy acts does not change which episodes are played.

    `regret` is for diagnostics: measuring more or less must not change what is learned.
    """

    env: EpisodeSeeds
    actor: Generator
    learner: Generator
    regret: Generator

    _GENERATORS: ClassVar = ("actor", "learner", "regret")

    @classmethod
    def spawn(cls, seed: int) -> RngStreams:
        """Creates independent streams that depend on the seed alone."""
        env, *others = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(4))
        return cls(EpisodeSeeds(env), *others)

    def save(self) -> dict[str, Any]:
        """Returns every stream's state as JSON-serializable numbers."""
        states = {name: getattr(self, name).bit_generator.state for name in self._GENERATORS}
        return {"env": self.env.save(), **states}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Restores the state of every stream."""
        self.env.load(saved["env"])
        for name in self._GENERATORS:
            getattr(self, name).bit_generator.state = saved[name]


class Stopwatch:
    """Seconds spent under each name since the last `lap`."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Adds the duration of the `with` block to `name`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - begin

    def lap(self) -> dict[str, float]:
        """Returns the seconds counted since the last call and resets them."""
        seconds, self._seconds = self._seconds, {}
        return seconds


@dataclass(frozen=True)
class Kit:
    """The arguments of a trainer's step; only `rng` and `clock` are mutable.

    `horizon` is the episode limit in steps, None without one; `scratch` has as many slots as `env`
    and restores states of `env` for cost roll-outs, for trainers with `needs_state_restore`;
    `learner_for` makes a learner like `learner` for another action space; `safety_expert` is the
    expert where the learner's loss uses its unsafe actions; `close_labeller` ends the processes
    that answer for the expert; `hides`: students see less than the expert; `recorded` has the rows
    of the first rounds, where they were recorded before; `allocate` and `form` say where the
    aggregate is stored, and how.
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
    close_labeller: Callable[[], None] | None = None
    hides: bool = False
    recorded: Recorded = field(default_factory=lambda: Recorded(()))
    allocate: Allocate = np.empty
    form: Form | None = None
    clock: Stopwatch = field(default_factory=Stopwatch)

    def aggregate(self, data: Dataset | None, fresh: Dataset) -> Dataset:
        """Returns all rows so far, with capacity for those of the whole run."""
        total, form = self.budget.total, self.form
        return aggregate(data, fresh, capacity=total, allocate=self.allocate, form=form)

    def fit(self, data: Dataset, start: Policy | None) -> Fitted:
        """Fits the learner on all rows of `data`; one that warm-starts continues from `start`."""
        with self.clock("fit"):
            rows = resampled(data, self.rng.learner)
            return _finite(self._learner(data).fit(rows, start, self.rng.learner))

    def fit_members(self, data: Dataset, starts: Sequence[Policy | None]) -> list[Fitted]:
        """Fits the learner from each of `starts`; rows with weights are drawn for each anew."""
        learner = self._learner(data)
        if data.weights is not None or not isinstance(learner, FitsMembers):
            return [self.fit(data, start) for start in starts]
        with self.clock("fit"):
            return [_finite(one) for one in learner.fit_members(data, starts, self.rng.learner)]

    def _learner(self, data: Dataset) -> Learner:
        """Returns the learner of a fit on these rows."""
        learner = self.learner
        if len(data.rounds) == self.budget.rounds and isinstance(learner, HasFinalFit):
            return learner.for_final_fit()
        return learner

    def progress(self, round: int, usage: Usage) -> Progress:
        """Returns the progress before `round`, with `usage` so far."""
        return Progress(round, self.budget.rounds, min(1.0, usage.labels / self.budget.total))

    def close(self) -> None:
        """Closes the environments, and ends the labeller's workers; may be called twice."""
        if self.close_labeller is not None:
            self.close_labeller()
        for env in (self.env, self.scratch):
            if env is not None:
                env.close()


def _finite(fitted: Fitted) -> Fitted:
    """Returns the fit; raises ConfigError where it diverged."""
    if not math.isfinite(fitted.loss):
        raise ConfigError(
            f"the fit diverged: its loss is {fitted.loss}; try a smaller policy.learning_rate, "
            "and check the observations and labels for extreme values"
        )
    return fitted
