"""The only loop over rounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Score
from dagger_cli.loop.regret import measure
from dagger_cli.loop.trainer import Trainer
from dagger_cli.loop.validate import Validated

Validate = Callable[[Policy], Validated]


@dataclass(frozen=True)
class Best:
    """The round (from 1) to ship: the latest one whose validation return is as good as the `top`.

    As good means within `tolerance` times the size of the highest mean. A handful of episodes
    cannot tell such rounds apart, and the later one has learned from more data: with a tolerance of
    0 (the paper's rule) an early, brittle policy wins by a lucky tenth of a point.
    """

    round: int
    mean: float
    top: float

    @classmethod
    def after(cls, best: Best | None, round: int, mean: float, tolerance: float) -> Best:
        """The best once `round` has scored `mean`."""
        top = mean if best is None else max(best.top, mean)
        if best is None or mean >= top - tolerance * abs(top):
            return cls(round, mean, top)
        return cls(best.round, best.mean, top)


@dataclass(frozen=True)
class Round:
    """A finished round, as observers see it; no score where nothing validates."""

    state: State
    policy: Policy
    score: Score | None
    best: Best
    seconds: Mapping[str, float]


class Observer(Protocol):
    """Looks at finished rounds; never changes them."""

    def __call__(self, finished: Round) -> None:
        """Record one round."""
        ...


def run(
    trainer: Trainer,
    kit: Kit,
    state: State,
    best: Best | None,
    validate: Validate | None,
    tolerance: float,
    observers: Iterable[Observer],
    *,
    regret: bool = True,
) -> tuple[State, Best | None]:
    """Do the rounds that `state` still lacks; with none left, nothing happens.

    Without `validate` the last round is the best.
    With `regret` every round's online and hindsight loss are measured, see loop/regret.py.

    Observers are called in their order after every round, so that what comes later in the order may
    rely on what came before (metrics are written before the checkpoint that counts on them).
    """
    observers = tuple(observers)
    while state.round < kit.budget.rounds:
        before, state = state, trainer.step(state, kit)
        policy = trainer.deploy(state, kit)
        metrics = (
            measure(kit, before, state, fits_on_aggregate=trainer.fits_on_aggregate)
            if regret
            else {}
        )
        state = replace(state, metrics={**state.metrics, **metrics})
        if validate is None:
            score, best = None, Best(state.round, math.nan, math.nan)
        else:
            with kit.clock("validate"):
                score, gaps = validate(policy)
            state = replace(state, metrics={**state.metrics, **gaps})
            best = Best.after(best, state.round, score.mean, tolerance)
        finished = Round(state, policy, score, best, kit.clock.lap())
        for observe in observers:
            observe(finished)
    return state, best
