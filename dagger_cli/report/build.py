"""The blocks of a report, from the runs that were read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagger_cli.report.aggregate import all_environments
from dagger_cli.report.blocks import Block, Code, Folded, Heading, Table, Text
from dagger_cli.report.groups import sections
from dagger_cli.report.run_record import RunRecord
from dagger_cli.report.section_blocks import section_blocks
from dagger_cli.utils.files import shown_path

_HOW = (
    "A group is all runs that differ in the seed only. Returns are means over the episodes of the "
    "final table, each run's own; the interval of a mean is Student's t over seeds.",
    "The share of the expert is 1 - (expert - return) / |expert|: return / expert where the "
    "expert's return is positive. Labels to a share are those used when the validation return "
    "first reached it, the median over seeds; the area under the curve is the mean share of the "
    "validation return over the labels of a run.",
    "The interquartile mean is the mean of the middle half of the runs (of all, under four). "
    "Performance profiles, probabilities of improvement (ties count half) and percentile "
    "intervals of a stratified bootstrap with 2,000 repetitions are those of Agarwal et al. 2021, "
    '"Deep RL at the edge of the statistical precipice". The bootstrap has a fixed seed: the same '
    "runs give the same report.",
)


def report_blocks(
    runs: Sequence[RunRecord], title: str, out: Path, started: Sequence[str]
) -> list[Block]:
    """Returns the content of a report on these runs, for a page in the folder `out`.

    `started` are the command lines of their sweeps.
    """
    return list(_blocks(runs, title, out, started))


def _blocks(
    runs: Sequence[RunRecord], title: str, out: Path, started: Sequence[str]
) -> Iterator[Block]:
    parts = sections(runs)
    yield Heading(title, 1)
    counts = Counter(run.status for run in runs)
    many = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    envs = f" in {len(parts)} environments" if len(parts) > 1 else ""
    yield Text(f"{len(runs)} run{'s' * (len(runs) != 1)}{envs}: {many}.")
    if started:
        yield Code(tuple(started))
    yield from _failures(runs)
    if len(parts) > 1:
        yield from all_environments(parts)
    for i, part in enumerate(parts):
        slug = re.sub(r"[^a-z0-9]+", "_", part.env.lower())[:40].strip("_") or "env"
        same = [p for p in parts[:i] if p.env.lower() == part.env.lower()]
        yield from section_blocks(part, f"{slug}_{i}" if same else slug, out)
    yield Folded("How the numbers are computed", tuple(map(Text, _HOW)))


def _failures(runs: Sequence[RunRecord]) -> Iterator[Block]:
    failed = [run for run in runs if run.status in ("failed", "damaged")]
    if not failed:
        return
    yield Heading("Failed and damaged runs")
    shared = _shared([run.job.words for run in runs])
    rows = [
        (shown_path(run.folder), " ".join(_own(run, shared)), run.status, _reason(run))
        for run in failed
    ]
    yield Table(("run", "words", "status", "reason"), tuple(rows), texts=4)


def _shared(words: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """Returns the words that all runs with words have, which tell none of them apart."""
    known = [frozenset(one) for one in words if one]
    return frozenset.intersection(*known) if len(known) > 1 else frozenset()


def _own(run: RunRecord, shared: frozenset[str]) -> list[str]:
    return [word for word in run.job.words if word not in shared]


def _reason(run: RunRecord) -> str:
    text = run.damaged or run.job.error or "no reason was recorded"
    return text if len(text) <= 1000 else f"{text[:1000]}..."
