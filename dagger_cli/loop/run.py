"""Training loop over rounds, shared by all trainers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Metered, Policy, Score
from dagger_cli.loop.regret import OWN_GAP, measure
from dagger_cli.loop.trainer import Trainer
from dagger_cli.loop.validate import Validated

Validate = Callable[[Policy], Validated]


@dataclass(frozen=True)
class Best:
    """Best round (from 1): the latest with a figure close to the highest so far, `top`.

    The figure is the mean validation return, or the agreement with the expert in the policy's own
    validation states, at most 1; `mean` is the round's mean validation return. Close means within
    `tolerance` times |top|. A few episodes cannot distinguish such rounds, and the later one has
    learned from more data: with a tolerance of 0 (the paper's rule) a less robust early policy can
    win by chance, by a tenth of a point.
    """

    round: int
    mean: float
    top: float

    @classmethod
    def after(
        cls,
        best: Best | None,
        round: int,
        mean: float,
        tolerance: float,
        figure: float | None = None,
    ) -> Best:
        """Returns the best round after `round` has scored `mean`, by default also the figure."""
        figure = mean if figure is None else figure
        top = figure if best is None else max(best.top, figure)
        if best is None or figure >= top - tolerance * abs(top):
            return cls(round, mean, top)
        return cls(best.round, best.mean, top)


@dataclass(frozen=True)
class Round:
    """Finished round, as passed to observers; `score` is None without validation."""

    state: State
    policy: Policy
    score: Score | None
    best: Best
    seconds: Mapping[str, float]


class Observer(Protocol):
    """Callback after each finished round; must not change it."""

    def __call__(self, finished: Round) -> None:
        """Receives a finished round."""
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
    best_by: str = "return",
) -> tuple[State, Best | None]:
    """Runs the remaining rounds of `kit.budget`; returns the last state and the best round.

    Without `validate` the last round is the best. With `regret` the online and hindsight loss of
    every round are measured, see loop/regret.py. `best_by` is the figure that chooses the best
    round: `return`, or `agreement`, which needs the disagreement that `validate` measures.
    Observers are called in order after every round: metrics are written before the checkpoint that
    refers to them.
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
        asked = kit.expert.metrics(state.usage) if isinstance(kit.expert, Metered) else {}
        state = replace(state, metrics={**state.metrics, **metrics, **asked})
        if validate is None:
            score, best = None, Best(state.round, math.nan, math.nan)
        else:
            with kit.clock("validate"):
                score, gaps = validate(policy)
            state = replace(state, metrics={**state.metrics, **gaps})
            figure = 1 - gaps[OWN_GAP] if best_by == "agreement" else score.mean
            best = Best.after(best, state.round, score.mean, tolerance, figure)
        finished = Round(state, policy, score, best, kit.clock.lap())
        for observe in observers:
            observe(finished)
    return state, best
