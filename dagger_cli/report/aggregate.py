"""Scores normalised by the expert, over seeds and environments, with bootstrap intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.report.blocks import Block, Figure, Folded, Heading, Row, Table, Text
from dagger_cli.report.figures import intervals, profiles
from dagger_cli.report.groups import Section
from dagger_cli.report.statistics import (
    Estimate,
    Interval,
    probability_of_improvement,
    profile,
    stratified,
)
from dagger_cli.report.words import estimated

Tasks = Sequence[tuple[str, Sequence[Array]]]  # per group, the shares of each environment
MOST = 20  # groups in figures and statistics
_FEW = 10  # seeds below which a bootstrap interval is too narrow
_PAIRS_SHOWN = 12


def statistics_blocks(groups: Tasks, name: str) -> Iterator[Block]:
    """Yields interquartile means, profiles and probabilities of improvement."""
    if not groups:
        return
    yield Heading("Share of the expert", 3)
    fewest = min(len(scores) for _, tasks in groups for scores in tasks)
    if fewest < _FEW:
        yield Text(
            f"Some groups have {fewest} finished run{'s' * (fewest != 1)} per environment: below "
            f"{_FEW}, bootstrap intervals are too narrow, and with one there are none."
        )
    means = [(group, stratified(tasks)) for group, tasks in groups]
    mean_of = [stratified(tasks, lambda drawn: drawn.mean(-1)) for _, tasks in groups]
    rows = [
        (group, *estimated(middle), *estimated(mean))
        for (group, middle), mean in zip(means, mean_of, strict=True)
    ]
    columns = ("group", "interquartile mean", "95 % interval", "mean", "95 % interval")
    yield Table(columns, tuple(rows))
    yield Row((_intervals(means, name), _profiles(groups, name)))
    yield from _improvement(groups)


def all_environments(sections: Sequence[Section]) -> Iterator[Block]:
    """Yields the statistics over environments, of groups that have the same name in several."""
    found = [{g.name: g.shares for g in s.groups if len(g.shares)} for s in sections]
    counts = Counter(name for shares in found for name in shares)
    names = [name for name, n in sorted(counts.items()) if n > 1]
    whole = [i for i, shares in enumerate(found) if shares.keys() >= set(names)]
    if len(whole) < 2 or not names:
        return
    yield Heading("All environments" if len(whole) == len(sections) else "Several environments")
    envs = ", ".join(sections[i].env for i in whole)
    yield Text(f"Groups that {envs} have in common; the bootstrap draws runs within each of them.")
    shares = {name: [found[i][name] for i in whole] for name in names}
    by_mean = sorted(names, key=lambda name: -np.mean([scores.mean() for scores in shares[name]]))
    shown = [name for name in names if name in by_mean[:MOST]]
    if len(shown) < len(names):
        yield Text(f"These are the {MOST} groups with the highest mean share, of {len(names)}.")
    yield from statistics_blocks([(name, shares[name]) for name in shown], "all")


def _intervals(means: Sequence[tuple[str, Estimate]], name: str) -> Figure:
    caption = "Interquartile mean of the final share of the expert, 95 % bootstrap interval"
    return intervals(f"{name}_iqm", caption, means)


def _profiles(groups: Tasks, name: str) -> Figure:
    scores = np.concatenate([x for _, tasks in groups for x in tasks])
    low, high = float(scores.min()), float(scores.max())
    room = 0.03 * (high - low) or 0.05
    taus = np.linspace(max(low, min(0.0, high - 1)) - room, high + room, 200)
    bands = [(group, profile(tasks, taus)) for group, tasks in groups]
    caption = "Performance profile: the fraction of runs whose final share is above t, 95 % band"
    return profiles(f"{name}_profile", caption, bands, taus)


def _improvement(groups: Tasks) -> Iterator[Block]:
    rows = []
    for i, (a, ours) in enumerate(groups):
        for b, theirs in groups[i + 1 :]:
            estimate = probability_of_improvement(ours, theirs)
            if estimate.value >= 0.5:
                rows.append((a, b, *estimated(estimate, 2)))
            else:
                rows.append((b, a, *estimated(_opposite(estimate), 2)))
    if not rows:
        return
    table = Table(("a run of", "beats one of", "probability", "95 % interval"), tuple(rows), 2)
    title = f"Probability of improvement, {len(rows)} pair{'s' * (len(rows) != 1)}"
    if len(rows) > _PAIRS_SHOWN:
        yield Folded(title, (table,))
    else:
        yield table


def _opposite(estimate: Estimate) -> Estimate:
    bounds = estimate.interval
    return Estimate(
        1 - estimate.value, None if bounds is None else Interval(1 - bounds.high, 1 - bounds.low)
    )
