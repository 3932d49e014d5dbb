"""The part of a report on one environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.report.aggregate import MOST, statistics_blocks
from dagger_cli.report.blocks import Block, Code, Figure, Folded, Heading, Row, Table, Text
from dagger_cli.report.figures import Line, curves
from dagger_cli.report.groups import PARTS, Group, Measured, Section, finite
from dagger_cli.report.media import media_blocks
from dagger_cli.report.settings import SEED, common, differing, short_key, short_value, values_of
from dagger_cli.report.statistics import mean_interval
from dagger_cli.report.words import NONE, digits_for, median_labels, number, percent, plus_minus
from dagger_cli.tracking.summary import commands
from dagger_cli.utils.files import shown_path

_COLUMNS = (
    *("group", "seeds", "return", "95 % interval", "worst", "share of expert"),
    *(f"labels to {100 * part:g} %" for part in PARTS),
    *("area under curve", "labels", "wall time"),
)
# What a person as the expert has spent: only runs with expert=human have these metrics.
_PERSON = (
    ("human/seconds", "seconds of the person"),
    ("human/takeovers", "takeovers of the person"),
)
_REGRET = ("regret/average", "regret/online_loss_mean", "regret/hindsight_loss")


def section_blocks(section: Section, name: str, out: Path) -> Iterator[Block]:
    """Yields the blocks of an environment for a page in the folder `out`.

    `name` begins the names of its figures.
    """
    yield Heading(section.env)
    yield from _compared(section)
    yield Heading("Results", 3)
    yield _results(section)
    yield from _repeated(section)
    few = _highest(section)
    if few is not section:
        yield Text(
            f"Figures and statistics are of the {MOST} groups with the highest return, of "
            f"{len(section.groups)}; report.csv has all."
        )
    yield Row(tuple(_curves(few, name)))
    tasks = [(group.name, [group.shares]) for group in few.groups if len(group.shares)]
    yield from statistics_blocks(tasks, name)
    yield from _regret(few)
    yield from _best_and_worst(few)
    yield from media_blocks(section.records, out)
    yield from _unfinished(section)


def _highest(section: Section) -> Section:
    """Returns the section with at most `MOST` groups: a search may have one for every run."""
    if len(section.groups) <= MOST:
        return section
    means = {g.name: g.finals.mean() if len(g.finals) else -np.inf for g in section.groups}
    kept = sorted(means, key=lambda name: -means[name])[:MOST]
    return replace(section, groups=tuple(g for g in section.groups if g.name in kept))


def _compared(section: Section) -> Iterator[Block]:
    runs = section.records
    values = {key: values_of(runs, key) for key in (*section.keys, SEED)}
    rows = [(short_key(k), ", ".join(short_value(k, v) for v in vs)) for k, vs in values.items()]
    yield Table(("compared", "values"), tuple(rows), texts=2)
    follow = [key for key in differing(runs) if key not in section.keys]
    rest = [(key, ", ".join(values_of(runs, key))) for key in follow]
    if rest:
        yield Folded(
            f"Settings that differ with these: {len(rest)}",
            (Table(("setting", "values"), tuple(rest), texts=2),),
        )
    shared = tuple(common(runs).items())
    yield Folded(
        f"Settings with one value in all runs that have them: {len(shared)}",
        (Table(("setting", "value"), shared, texts=2),),
    )
    made_with = sorted({", ".join(run.versions) for run in runs if run.versions})
    if len(made_with) > 1:
        yield Text(f"The runs were made with different versions: {'; '.join(made_with)}.")


def _results(section: Section) -> Table:
    runs = [run for group in section.groups for run in group.runs]
    digits = digits_for(run.final for run in runs)
    rows = [_result(group, digits) for group in section.groups]
    experts = sorted({*finite(run.expert for run in runs)})
    if experts:
        shown = " or ".join(number(expert, digits) for expert in experts[:3])
        more = " or ..." if len(experts) > 3 else ""
        rows.insert(0, ("expert", "", shown + more, *("",) * (len(_COLUMNS) - 3)))
    return Table(_COLUMNS, tuple(rows))


def _result(group: Group, digits: int) -> tuple[str, ...]:
    finished, finals = group.finished, group.finals
    n, done = len(group.runs), len(finished)
    seeds = str(n) if n == done else f"{n} ({done} finished)"
    reached = [median_labels(run.labels_to(part) for run in group.runs) for part in PARTS]
    areas = finite(run.area for run in finished)
    if not done:
        return (group.name, seeds, NONE, NONE, NONE, NONE, *reached, NONE, NONE, NONE)
    ended = [run.run.final for run in finished if run.run.final is not None]
    return (
        group.name,
        seeds,
        number(float(finals.mean()), digits),
        plus_minus(mean_interval(finals), digits),
        number(float(finals.min()), digits),
        percent(float(group.shares.mean())) if len(group.shares) else NONE,
        *reached,
        f"{areas.mean():.3f}" if len(areas) else NONE,
        number(float(np.mean([final.labels for final in ended])), 0),
        f"{np.mean([final.seconds for final in ended]):,.1f} s",
    )


def _repeated(section: Section) -> Iterator[Text]:
    """Yields a note where a group has several finished runs with one seed."""
    names = []
    for group in section.groups:
        seeds = [run.run.seed for run in group.finished if run.run.seed != "?"]
        if len(set(seeds)) < len(seeds):
            names.append(group.name)
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield Text(
            f"There are several runs with the same seed in {shown}: each counts as a run, so "
            "intervals are too narrow where they repeat each other."
        )


def _curves(section: Section, name: str) -> Iterator[Figure]:
    experts = {run.expert for group in section.groups for run in group.runs}
    expert = experts.pop() if len(experts) == 1 else np.nan
    shown = [group for group in section.groups if any(len(r.curve.labels) for r in group.runs)]
    if not shown:
        return
    note = "mean, one standard deviation and each seed; dashed the expert"
    for x, label in (("labels", "labels"), ("seconds", "seconds of the rounds")):
        lines = [_line(group, x) for group in shown]
        caption = f"{section.env}: validation return against {label} ({note})"
        yield curves(f"{name}_{x}", caption, lines, (label, "validation return"), expert=expert)
    for column, label in _PERSON:
        lines = [Line(g.name, tuple(_against(run, column) for run in g.runs)) for g in shown]
        if any(x.any() for line in lines for x, _ in line.seeds):
            caption = f"{section.env}: validation return against {label} ({note})"
            axes, key = (label, "validation return"), column.rpartition("/")[2]
            yield curves(f"{name}_person_{key}", caption, lines, axes, expert=expert)
    regret = [Line(g.name, tuple(map(_regret_of, g.runs))) for g in shown]
    if any(len(x) for line in regret for x, _ in line.seeds):
        caption = f"{section.env}: average regret against labels (mean and each seed)"
        axes = ("labels", "average regret")
        yield curves(f"{name}_regret", caption, regret, axes, expert=np.nan)


def _line(group: Group, x: str) -> Line:
    curves_of = [run.curve for run in group.runs]
    return Line(group.name, tuple((getattr(curve, x), curve.returns) for curve in curves_of))


def _against(run: Measured, column: str) -> tuple[Array, Array]:
    x, returns = run.run.column(column), run.run.column("eval/return_mean")
    there = np.isfinite(x) & np.isfinite(returns)
    return x[there], returns[there]


def _regret_of(run: Measured) -> tuple[Array, Array]:
    labels, regret = run.run.column("train/labels"), run.run.column("regret/average")
    there = np.isfinite(labels) & np.isfinite(regret)
    return labels[there], regret[there]


def _regret(section: Section) -> Iterator[Block]:
    rows = []
    for group in section.groups:
        last = [[_last(run, key) for key in _REGRET] for run in group.runs]
        known = np.array([values for values in last if np.isfinite(values).all()])
        if len(known):
            rows.append((group.name, *(f"{value:.4g}" for value in known.mean(0))))
    if rows:
        yield Heading("Regret", 3)
        yield Text("Mean over seeds in the last round.")
        columns = ("group", "average regret", "mean online loss", "hindsight loss")
        yield Table(columns, tuple(rows))


def _last(run: Measured, key: str) -> float:
    values = run.run.column(key)
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else np.nan


def _best_and_worst(section: Section) -> Iterator[Block]:
    rows, lines = [], []
    digits = digits_for(run.final for group in section.groups for run in group.runs)
    for group in section.groups:
        ordered = sorted(group.finished, key=lambda run: -run.final)
        for what, run in zip(("best", "worst"), (ordered[:1], ordered[1:][-1:]), strict=True):
            for one in run:
                path = shown_path(one.run.folder)
                seed = one.run.seed
                rows.append((group.name, what, path, seed, number(one.final, digits)))
                lines += _played(one)
    if rows:
        yield Heading("Best and worst runs", 3)
        yield Table(("group", "", "run", "seed", "return"), tuple(rows), texts=3)
        yield Folded("Commands to evaluate and to watch them", (Code(tuple(lines)),))


def _played(run: Measured) -> list[str]:
    shown = run.run.final is not None and run.run.final.rendered
    found = commands(run.run.folder, shown=shown)
    return [found["evaluate"], *([found["watch"]] if shown else [])]


def _unfinished(section: Section) -> Iterator[Block]:
    rows = []
    for run in section.records:
        if run.final is None:
            best = run.column("eval/return_mean")
            known = best[np.isfinite(best)]
            top = number(float(known.max()), digits_for(known)) if len(known) else NONE
            rounds = NONE if run.rounds is None else str(run.rounds)
            labels = number(run.labels, 0)
            path = shown_path(run.folder)
            rows.append((path, f"{run.round} of {rounds}", labels, top))
    if rows:
        yield Heading("Unfinished runs", 3)
        yield Text(
            "They are in the curves, and in the labels to the shares they reached, not in the rest."
        )
        yield Table(("run", "rounds", "labels", "best validation return"), tuple(rows))
