"""Labelled rows that were recorded before a run, and that its first rounds learn from."""

from __future__ import annotations

from dataclasses import dataclass

from dagger_cli.core.dataset import Dataset


@dataclass(frozen=True)
class Recorded:
    """Rows of the first rounds: demonstrations are one round, a data set as many as the budget.

    In these rounds nothing is rolled out and no expert is asked. `note` says so to the user.
    """

    rounds: tuple[Dataset, ...]
    note: str = ""

    def of(self, round: int) -> Dataset | None:
        """Returns the rows of a round (from 0), None from the first that is rolled out."""
        return self.rounds[round] if round < len(self.rounds) else None
