"""The only loop over rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dagger_cli.core.kit import Kit
from dagger_cli.core.state import State
from dagger_cli.core.types import Policy, Score

Validate = Callable[[Policy], Score]


class Trainer(Protocol):
    """An algorithm: frozen hyper-parameters and the body of the paper's for-loop."""

    def start(self, kit: Kit) -> State:
        """The state before the first round."""
        ...

    def step(self, state: State, kit: Kit) -> State:
        """One round: roll out, ask, fit."""
        ...

    def deploy(self, state: State, kit: Kit) -> Policy:
        """The policy to ship if the run stopped here."""
        ...


@dataclass(frozen=True)
class Best:
    """The round (from 1) whose policy scored highest on validation; a later one wins ties."""

    round: int
    mean: float


@dataclass(frozen=True)
class Round:
    """A finished round, as observers see it."""

    state: State
    policy: Policy
    score: Score
    best: Best
    seconds: Mapping[str, float]

    @property
    def is_best(self) -> bool:
        """Whether this round's policy is the best so far."""
        return self.best.round == self.state.round


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
    validate: Validate,
    observers: Iterable[Observer],
) -> tuple[State, Best | None]:
    """Do the rounds that `state` still lacks; with none left, nothing happens.

    Observers are called in their order after every round, so that what comes later in the order may
    rely on what came before (metrics are written before the checkpoint that counts on them).
    """
    observers = tuple(observers)
    while state.round < kit.budget.rounds:
        state = trainer.step(state, kit)
        policy = trainer.deploy(state, kit)
        with kit.clock("validate"):
            score = validate(policy)
        if best is None or score.mean >= best.mean:
            best = Best(state.round, score.mean)
        finished = Round(state, policy, score, best, kit.clock.lap())
        for observe in observers:
            observe(finished)
    return state, best
