"""What tells the jobs of a sweep apart, for lists of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from dagger_cli.report.run_record import RunRecord
from dagger_cli.utils.short_names import shorten

_COLUMNS = {"env", "trainer", "seed"}  # which every list has


def swept(runs: Sequence[RunRecord]) -> dict[Path, str]:
    """Returns, by folder, the overrides of a job that not all jobs of its sweep have.

    Those of environment, trainer and seed are left out.
    """
    sweeps: dict[Path, list[RunRecord]] = defaultdict(list)
    for run in runs:
        if run.job.status is not None:  # it has a job.json
            sweeps[run.folder.parent].append(run)
    found = {}
    for jobs in sweeps.values():
        same = frozenset.intersection(*(frozenset(run.job.words) for run in jobs))
        for run in jobs:
            own = [word for word in run.job.words if word not in same and not _has_column(word)]
            found[run.folder] = " ".join(map(shorten, own)) if len(jobs) > 1 else ""
    return found


def _has_column(word: str) -> bool:
    return word.partition("=")[0] in _COLUMNS
