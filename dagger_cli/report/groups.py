"""Runs as sections, one per environment, of groups whose runs differ in the seed only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.report.measures import area, labels_to, share
from dagger_cli.report.run_record import RunRecord
from dagger_cli.report.settings import by_size, distinguishing, short_key, short_value

PARTS = (0.5, 0.8, 0.95)  # of the expert's return, for "labels to reach it"


@dataclass(frozen=True)
class Curve:
    """Validation returns of a run: one entry per validated round."""

    labels: Array
    seconds: Array  # since the start, of the rounds alone
    returns: Array


@dataclass(frozen=True)
class Measured:
    """Run with its curve, and the expert's return, nan where no run of its group has it."""

    run: RunRecord
    curve: Curve
    expert: float

    @property
    def final(self) -> float:
        """Return of the final table; nan for an unfinished run."""
        return np.nan if self.run.final is None else self.run.final.student

    @property
    def share(self) -> float:
        """Share of the expert's return in the final table."""
        return float(share(np.array(self.final), self.expert))

    @property
    def area(self) -> float:
        """Mean share of the expert over the labels; see `measures.area`."""
        if np.isnan(self.expert):
            return np.nan
        return area(self.curve.labels, share(self.curve.returns, self.expert))

    def labels_to(self, part: float) -> float:
        """Labels to reach a share of the expert's return, inf if never.

        It is nan without an expert, and where an unfinished run has not reached it yet.
        """
        if np.isnan(self.expert) or not len(self.curve.labels):
            return np.nan
        found = labels_to(self.curve.labels, self.curve.returns, self.expert, part)
        return np.nan if np.isinf(found) and self.run.final is None else found


@dataclass(frozen=True)
class Group:
    """Runs that differ in the seed only; `settings` are the keys that tell groups apart."""

    name: str
    settings: dict[str, str]
    runs: tuple[Measured, ...]

    @property
    def finished(self) -> list[Measured]:
        """Runs with a final score."""
        return [run for run in self.runs if run.run.final is not None]

    @property
    def finals(self) -> Array:
        """Final returns of the finished runs."""
        return np.array([run.final for run in self.finished])

    @property
    def shares(self) -> Array:
        """Final shares of the expert, where they are defined."""
        return finite(run.share for run in self.finished)


@dataclass(frozen=True)
class Section:
    """All runs of an environment; `keys` tell its groups apart."""

    env: str
    keys: tuple[str, ...]
    groups: tuple[Group, ...]

    @property
    def records(self) -> list[RunRecord]:
        """Runs of all groups."""
        return [measured.run for group in self.groups for measured in group.runs]


def sections(runs: Sequence[RunRecord]) -> list[Section]:
    """Returns one section per environment, of the runs that have a round."""
    by_env: dict[str, list[RunRecord]] = defaultdict(list)
    for run in runs:
        if run.settings and (run.rows or run.final):
            by_env[run.env].append(run)
    return [_section(env, by_env[env]) for env in sorted(by_env)]


def _section(env: str, runs: Sequence[RunRecord]) -> Section:
    keys = distinguishing(runs)
    cells: dict[tuple[str, ...], list[RunRecord]] = defaultdict(list)
    for run in runs:
        cells[tuple(run.settings.get(key, "") for key in keys)].append(run)
    ordered = sorted(cells, key=lambda values: [by_size(value) for value in values])
    usual = _median_expert(runs)
    groups = [_group(dict(zip(keys, cell, strict=True)), cells[cell], usual) for cell in ordered]
    return Section(env, tuple(keys), tuple(groups))


def _group(settings: dict[str, str], runs: Sequence[RunRecord], usual: float) -> Group:
    own = _median_expert(runs)
    expert = usual if np.isnan(own) else own
    measured = [Measured(run, curve_of(run), _expert_of(run, expert)) for run in runs]
    ordered = sorted(measured, key=lambda one: by_size(one.run.seed))
    return Group(_name(settings) or runs[0].trainer, settings, tuple(ordered))


def _name(settings: dict[str, str]) -> str:
    """Returns a name such as `dagger policy.learning_rate=0.01`."""
    parts = []
    for key, value in settings.items():
        if key == "trainer.name":
            parts.append(value)
        elif value:
            parts.append(f"{short_key(key.removesuffix('.name'))}={short_value(key, value)}")
    return " ".join(parts)


def finite(values: Iterable[float]) -> Array:
    """Returns the values that are neither nan nor inf."""
    found = np.array(list(values), dtype=float)
    return np.asarray(found[np.isfinite(found)])


def curve_of(run: RunRecord) -> Curve:
    """Returns the rounds that have a validation return."""
    labels, returns = run.column("train/labels"), run.column("eval/return_mean")
    seconds = np.cumsum(np.nan_to_num(run.column("time/total")))
    there = np.isfinite(labels) & np.isfinite(returns)
    return Curve(labels[there], seconds[there], returns[there])


def _expert_of(run: RunRecord, otherwise: float) -> float:
    known = run.final is not None and np.isfinite(run.final.expert)
    return run.final.expert if known and run.final is not None else otherwise


def _median_expert(runs: Sequence[RunRecord]) -> float:
    found = finite(run.final.expert for run in runs if run.final is not None)
    return float(np.median(found)) if len(found) else np.nan
