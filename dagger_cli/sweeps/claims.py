"""Which folder a job of a sweep has, and whether it still has to run.

Jobs are known by their overrides: one that has ended is not run again, whatever its number is in
this sweep, and one that was interrupted goes on in its folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dagger_cli.sweeps.job_file import FAILED, RUNNING, Job, jobs_in, write_job
from dagger_cli.tracking.run_lock import is_locked
from dagger_cli.tracking.run_paths import JOB


def claim(job: Job, sweep: Path, *, retry: bool) -> Job:
    """Returns the job as it ended before, or, written to its folder, as one that runs now.

    `job.folder` is the folder that it would have in an empty sweep. `retry`: a job that failed is
    run again. A folder that has another job is left alone; the name beside it is used.
    """
    again = (RUNNING, FAILED) if retry else (RUNNING,)
    for known in jobs_in(sweep):
        if not known.does(job.words):
            continue
        if known.status not in again:
            return known
        if not is_locked(known.folder):
            return _started(replace(job, folder=known.folder))
    return _started(replace(job, folder=next(_free(job.folder))))


def _started(job: Job) -> Job:
    write_job(job)
    return job


def _free(folder: Path) -> Iterator[Path]:
    if not (folder / JOB).exists():
        yield folder
    n = 2
    while True:
        beside = folder.with_name(f"{folder.name}_{n}")
        if not beside.exists():
            yield beside
        n += 1
