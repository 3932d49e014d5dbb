"""A beta schedule: a function of the progress."""

from dataclasses import dataclass

from dagger_cli import Progress


@dataclass(frozen=True)
class Sqrt:
    """1 / sqrt(1 + rate * round)."""

    rate: float

    def __call__(self, progress: Progress) -> float:
        """Returns beta for the round that is about to start."""
        return float((1 + self.rate * progress.round) ** -0.5)
