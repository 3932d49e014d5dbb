"""An expert whose batches are answered by workers, with the same answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import (
    Acts,
    Array,
    Card,
    Expert,
    MayStay,
    Observation,
    SafetyExpert,
)
from dagger_cli.labellers.crew import Crew
from dagger_cli.labellers.interface import Labelled
from dagger_cli.labellers.pool import Pool


def distributed(name: str, expert: Expert, hire: Callable[[], Crew], worth: float) -> Labelled:
    """Returns the expert with its workers; `hire` creates them, `worth` see `Distributed`.

    Experts whose answers depend on the whole batch, or on the order of questions, stay here.
    """
    if isinstance(expert, MayStay) and expert.stays_because:
        return Labelled(expert, (f"labeller={name} has no effect: {expert.stays_because}",))
    pool = Pool(hire(), expert.card.identity)
    spread = Distributed(expert, pool, worth)
    if isinstance(expert, SafetyExpert):
        return Labelled(DistributedSafety(spread, expert), (), pool.close)
    return Labelled(spread, (), pool.close)


class Distributed:
    """Expert that answers small batches here, and others by workers.

    A batch is small if its answers take less than `worth` seconds: the workers would not be faster.
    An expert's answer depends on its row alone, so this changes no answer.
    """

    def __init__(self, expert: Expert, pool: Pool, worth: float) -> None:
        self._expert, self._pool, self._worth = expert, pool, worth
        self._seconds: float | None = None  # of one row

    @property
    def card(self) -> Card:
        return self._expert.card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        actions = self.answers("act", observation, lambda rows: self._expert.act(rows, rng).actions)
        return Acts(actions, np.ones(len(observation), bool))

    def answers(
        self, method: str, observation: Observation, here: Callable[[Observation], Array]
    ) -> Array:
        """Returns a method's answers, (n, ...); `here` answers in this process."""
        n = len(observation)
        if self._seconds is None and n > 1:  # the first row is measured
            parts = [self.answers(method, observation[rows], here) for rows in _FIRST_AND_REST]
            return np.concatenate(parts)
        if n > 1 and self._seconds is not None and n * self._seconds >= self._worth:
            values, self._seconds = self._pool.answers(method, observation, self._seconds)
            return values
        begin = time.perf_counter()
        values = here(observation)
        self._seconds = (time.perf_counter() - begin) / max(n, 1)
        return values


_FIRST_AND_REST = (slice(0, 1), slice(1, None))


@dataclass(frozen=True)
class DistributedSafety:
    """The same for an expert that also knows which actions are unsafe."""

    spread: Distributed
    expert: SafetyExpert

    @property
    def card(self) -> Card:
        return self.spread.card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        return self.spread.act(observation, rng)

    def unsafe_actions(self, observation: Observation) -> Array:
        return self.spread.answers("unsafe_actions", observation, self.expert.unsafe_actions)
