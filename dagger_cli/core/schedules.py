"""Schedules of beta, the probability that the expert acts (Ross et al. 2011, section 3.1).

A position x counts rounds from 0, or, with `by="labels"`, the fraction of the label budget used
so far times the number of rounds; both agree when every round uses equally many labels.
The paper requires beta(0) = 1 and an average that tends to 0; `constant` violates this on purpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import in_range, one_of


@dataclass(frozen=True)
class Progress:
    """Progress of a run: `round` from 0 of `rounds`, and `share` in [0, 1] of the label budget."""

    round: int
    rounds: int
    share: float

    def position(self, by: str) -> float:
        """Returns x: `round`, or with `by="labels"` the label share times `rounds`."""
        return float(self.round) if by == "round" else self.share * self.rounds


class Schedule(Protocol):
    """Function from progress to beta in [0, 1], the probability that the expert acts in a step."""

    def __call__(self, progress: Progress) -> float:
        """Returns beta for the round that is about to start."""
        ...


def check_schedule(beta: object) -> None:
    """Raises ConfigError where `beta` is a number instead of a schedule."""
    if not callable(beta):
        raise ConfigError(
            f"trainer.beta={beta} is not a schedule: choose one with beta=..., e.g. beta=constant "
            f"beta.value={beta}"
        )


def _check_by(by: str) -> None:
    one_of("beta_schedule.by", by, ("round", "labels"))


@dataclass(frozen=True)
class Indicator:
    """1 in the first round, 0 afterwards: the paper's parameter-free choice ("D0")."""

    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)

    def __call__(self, progress: Progress) -> float:
        return 1.0 if progress.position(self.by) < 1 else 0.0


@dataclass(frozen=True)
class Linear:
    """Linear from `start` to `end` over `over` rounds, then constant."""

    start: float
    end: float
    over: float
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        in_range("beta_schedule.start", self.start, "[0, 1]")
        in_range("beta_schedule.end", self.end, "[0, 1]")
        in_range("beta_schedule.over", self.over, "(0, inf)")

    def __call__(self, progress: Progress) -> float:
        done = min(progress.position(self.by) / self.over, 1.0)
        return self.start + (self.end - self.start) * done


@dataclass(frozen=True)
class Exponential:
    """p^x; the paper's "D0.5" is p = 0.5."""

    p: float
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        in_range("beta_schedule.p", self.p, "[0, 1]")

    def __call__(self, progress: Progress) -> float:
        return float(self.p ** progress.position(self.by))


@dataclass(frozen=True)
class Constant:
    """The same beta in every round; 1 collects the states of behaviour cloning."""

    value: float

    def __post_init__(self) -> None:
        in_range("beta_schedule.value", self.value, "[0, 1]")

    def __call__(self, progress: Progress) -> float:
        return self.value


@dataclass(frozen=True)
class Inverse:
    """1 / (1 + x / scale): slower than exponential, yet its average still tends to 0."""

    scale: float
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        in_range("beta_schedule.scale", self.scale, "(0, inf)")

    def __call__(self, progress: Progress) -> float:
        return 1.0 / (1.0 + progress.position(self.by) / self.scale)


@dataclass(frozen=True)
class Table:
    """One value per round; the last one holds for all later rounds."""

    values: tuple[float, ...]
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        if not self.values:
            raise ConfigError("beta_schedule.values is empty: give one number in [0, 1] per round")
        object.__setattr__(self, "values", tuple(float(value) for value in self.values))
        for value in self.values:
            in_range("beta_schedule.values", value, "[0, 1]")

    def __call__(self, progress: Progress) -> float:
        row = math.floor(progress.position(self.by))
        return self.values[min(row, len(self.values) - 1)]
