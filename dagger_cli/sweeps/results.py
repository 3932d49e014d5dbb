"""Results of a sweep: the final table and sweep.csv."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.sweeps.job_file import FAILED, RUNNING, Job
from dagger_cli.tracking.run_paths import BEST_TRIAL, TABLE_OF_SWEEP
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import read_bytes, write_text
from dagger_cli.utils.short_names import shorten
from dagger_cli.utils.terminal import printable

COLUMNS = ("status", "labels", "return", "std", "expert", "objective", "seconds", "error", "folder")


def names_of(jobs: Sequence[Job], fixed: Collection[str]) -> list[str]:
    """Returns what distinguishes each job: its overrides without those that all jobs share."""
    names = [" ".join(_short(w) for w in job.words if w not in fixed) for job in jobs]
    again = {name for name in names if names.count(name) > 1}
    return [
        f"{n} #{job.number}".strip() if n in again or not n else n
        for n, job in zip(names, jobs, strict=True)
    ]


def _short(word: str) -> str:
    """Returns an override with its short name, and a long number with four digits."""
    key, _, value = shorten(word).partition("=")
    long = re.fullmatch(r"-?\d+\.\d{5,}(e-?\d+)?", value)
    return f"{key}={float(value):.4g}" if long else shorten(word)


def best_of(sweep: Path) -> str | None:
    """Returns the best trial of a search in one line; None where there was no search."""
    import yaml

    try:
        found = yaml.safe_load(read_bytes(sweep / BEST_TRIAL, 2**20))
        params, value = dict(found["best_params"]), float(found["best_value"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, yaml.YAMLError):
        return None
    return f"{' '.join(f'{key}={value}' for key, value in params.items())}  objective {value:g}"


def shared(jobs: Sequence[Job], fixed: Collection[str]) -> frozenset[str]:
    """Returns the overrides that all jobs share, where they are not known."""
    words = [frozenset(job.words) for job in jobs]
    return frozenset(fixed) or (frozenset.intersection(*words) if len(words) > 1 else frozenset())


def write_table(sweep: Path, jobs: Sequence[Job], fixed: Collection[str]) -> None:
    """Writes sweep.csv with one row a job: number, swept values, and what it came to."""
    same = shared(jobs, fixed)
    rows = [dict(w.partition("=")[::2] for w in job.words if w not in same) for job in jobs]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["job", *keys, *COLUMNS])
    for job, row in zip(jobs, rows, strict=True):
        score = job.score or {}
        folder = job.folder.relative_to(sweep.absolute()).as_posix()
        ended = (job.labels, score.get("mean"), score.get("std"), job.expert, job.objective)
        values = [job.status, *ended, job.seconds, job.error, folder]
        writer.writerow([job.number, *(row.get(key, "") for key in keys), *values])
    with writing(sweep):
        write_text(sweep / TABLE_OF_SWEEP, text.getvalue())


def sum_up(jobs: Sequence[Job], fixed: Collection[str] = ()) -> None:
    """Prints a table of the jobs' scores; raises ConfigError where one failed or has no result."""
    if len(jobs) == 1 and jobs[0].error is not None and jobs[0].trace is None:
        raise ConfigError(jobs[0].error)
    names = names_of(jobs, shared(jobs, fixed))
    scores = {n: job.score for n, job in zip(names, jobs, strict=True) if job.score is not None}
    if len(scores) > 1:
        from dagger_cli.tracking.console import Console

        Console(failure_name="failures").compare(scores)
    _raise_failures([(n, job) for n, job in zip(names, jobs, strict=True)])


def _raise_failures(jobs: Sequence[tuple[str, Job]]) -> None:
    failed = [(name, job) for name, job in jobs if job.status in (FAILED, RUNNING)]
    for name, job in failed[1:]:
        print(printable(f"dagger: job {name} failed, too: {_reason(job)}"), file=sys.stderr)
    for name, job in failed[:1]:
        if job.trace is not None:
            raise RuntimeError(f"job {name} failed:\n{job.trace}")
        raise ConfigError(f"job {name} failed: {_reason(job)}")


def _reason(job: Job) -> str:
    text = job.error or "its process ended without a result (killed, or out of memory?)"
    return " ".join(text.split())  # a line break from a file would forge a sentence
