"""beta: how often the expert acts, as a function of how far the run is (DAgger paper, section 3.1).

A position x counts rounds from 0, or, with `by="labels"`, the share of the label budget used so
far times the number of rounds, so that both agree when every round asks for equally many labels.
The paper wants beta(0) = 1 and an average that goes to 0; `constant` breaks that on purpose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from dagger_cli.core.errors import ConfigError


@dataclass(frozen=True)
class Progress:
    """How far a run is: `round` from 0 of `rounds`, and `share` in [0, 1] of the label budget."""

    round: int
    rounds: int
    share: float

    def position(self, by: str) -> float:
        """Progress in rounds: a whole number by round, label share times rounds by labels."""
        return float(self.round) if by == "round" else self.share * self.rounds


class Schedule(Protocol):
    """Progress -> the probability in [0, 1] that the expert acts in a step."""

    def __call__(self, progress: Progress) -> float:
        """Beta for the round that is about to start."""
        ...


def check_schedule(beta: object) -> None:
    """Raises ConfigError where a number stands for a schedule."""
    if not callable(beta):
        raise ConfigError(
            f"trainer.beta={beta} is no schedule: choose one with beta=..., as in beta=constant "
            f"beta.value={beta}"
        )


def _check_by(by: str) -> None:
    if by not in ("round", "labels"):
        raise ConfigError(f"beta_schedule.by must be 'round' or 'labels', got '{by}'")


def _check_share(key: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ConfigError(f"beta_schedule.{key} must be in [0, 1], got {value}")


@dataclass(frozen=True)
class Indicator:
    """1 in the first round, 0 after it: the paper's parameter-free choice ("D0")."""

    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)

    def __call__(self, progress: Progress) -> float:
        return 1.0 if progress.position(self.by) < 1 else 0.0


@dataclass(frozen=True)
class Linear:
    """From `start` down (or up) to `end` in `over` rounds, then `end`."""

    start: float
    end: float
    over: float
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        _check_share("start", self.start)
        _check_share("end", self.end)
        if not self.over > 0:
            raise ConfigError(f"beta_schedule.over must be > 0 rounds, got {self.over}")

    def __call__(self, progress: Progress) -> float:
        done = min(progress.position(self.by) / self.over, 1.0)
        return self.start + (self.end - self.start) * done


@dataclass(frozen=True)
class Exponential:
    """p to the power x: the paper's "D0.5" is p = 0.5."""

    p: float
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        _check_share("p", self.p)

    def __call__(self, progress: Progress) -> float:
        return float(self.p ** progress.position(self.by))


@dataclass(frozen=True)
class Constant:
    """The same share of expert steps in every round; 1 collects what behaviour cloning does."""

    value: float

    def __post_init__(self) -> None:
        _check_share("value", self.value)

    def __call__(self, progress: Progress) -> float:
        return self.value


@dataclass(frozen=True)
class Inverse:
    """1 / (1 + x / scale): slower than exponential, yet its average still goes to 0."""

    scale: float
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        if not self.scale > 0:
            raise ConfigError(f"beta_schedule.scale must be > 0 rounds, got {self.scale}")

    def __call__(self, progress: Progress) -> float:
        return 1.0 / (1.0 + progress.position(self.by) / self.scale)


@dataclass(frozen=True)
class Table:
    """One value a round as written in the config; the last one holds from there on."""

    values: tuple[float, ...]
    by: str

    def __post_init__(self) -> None:
        _check_by(self.by)
        if not self.values:
            raise ConfigError("beta_schedule.values is empty: give one number in [0, 1] a round")
        object.__setattr__(self, "values", tuple(float(value) for value in self.values))
        for value in self.values:
            _check_share("values", value)

    def __call__(self, progress: Progress) -> float:
        row = math.floor(progress.position(self.by))
        return self.values[min(row, len(self.values) - 1)]
