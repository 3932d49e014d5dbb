"""Recorded rows as the first rounds of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.past import in_episodes
from dagger_cli.core.recorded import Recorded
from dagger_cli.core.types import Array, Space
from dagger_cli.data.fitting import dataset_of
from dagger_cli.data.read import read_episodes


def demonstrations(
    path: str, observations: Space, actions: Space, env_id: str, view: str, *, past: bool
) -> Recorded:
    """Returns all steps of a data set as the first round; see `spread` for `past`."""
    rows = dataset_of(read_episodes(path), observations, actions, env_id, view)
    rows = _with_past(rows) if past else rows
    note = f"Round 1 learns from the {len(rows):,} steps of {Path(path).name}, without roll-outs."
    return Recorded((rows,), note)


def spread(rows: Dataset, budget: Budget, *, past: bool) -> Recorded:
    """Returns the rows as every round of the budget, in their order.

    `past`: they come with what was observed before them in their episode (core/past.py). Raises
    ConfigError where there are too few.
    """
    if budget.total > len(rows):
        raise ConfigError(
            f"the budget has {budget.total:,} labels, but the data set has {len(rows):,} to learn "
            f"from: give labels={len(rows)} or less, or leave it out"
        )
    rows = _with_past(rows) if past else rows
    rounds, begin = [], 0
    for round in range(budget.rounds):
        end = begin + budget.steps(round)
        rounds.append(_part(rows, begin, end))
        begin = end
    return Recorded(tuple(rounds))


def _with_past(rows: Dataset) -> Dataset:
    return replace(rows, stored=in_episodes(rows.obs, rows.steps))


def _part(rows: Dataset, begin: int, end: int) -> Dataset:
    part = rows[begin:end]
    played: dict[str, Array] = {
        name: column[begin:end] for name, column in (rows.played or {}).items()
    }
    return replace(part, played=played)
