"""job.json: the status and result of a job of a sweep, in the job's own folder.

A launcher may run jobs in other processes and on other machines, so nothing is kept in memory: the
job writes this file when it starts and when it ends, and the process of the sweep reads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.run_paths import JOB, SWEEP
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import read_bytes, write_json

RUNNING, FINISHED, FAILED, PRUNED = "running", "finished", "failed", "pruned"
_STATUSES = (RUNNING, FINISHED, FAILED, PRUNED)
_MAX_BYTES = 2**24  # of job.json: a score has one seed per episode
_NUMBERS = ("mean", "std", "min", "max", "per_step", "failures", "episodes")  # of a score


@dataclass(frozen=True)
class Job:
    """Job of a sweep.

    `words` are its overrides; `score` is the student's, as in summary.json, and `expert` the
    expert's mean return; `seconds` is the time the job took in the process that ended it. `error`
    is a sentence for the user; `trace` is the traceback of an error that has none.
    """

    number: int
    words: tuple[str, ...]
    folder: Path
    status: str = RUNNING
    score: Mapping[str, Any] | None = None
    expert: float | None = None
    objective: float | None = None
    labels: int | None = None
    seconds: float | None = None
    notes: tuple[str, ...] = field(default=())
    error: str | None = None
    trace: str | None = None

    @property
    def ended(self) -> bool:
        """Whether there is a result or an error."""
        return self.status != RUNNING

    def does(self, words: Sequence[str]) -> bool:
        """Returns whether these overrides, in any order, are the job's own."""
        return _values(self.words) == _values(words)


def _values(words: Sequence[str]) -> dict[str, str]:
    parts = (word.partition("=") for word in words)
    return {key: value for key, _, value in parts}


def write_job(job: Job) -> None:
    """Writes the job's file; creates its folder."""
    values = {key: value for key, value in asdict(job).items() if key != "folder"}
    with writing(job.folder):
        job.folder.mkdir(parents=True, exist_ok=True)
        write_json(job.folder / JOB, values)


def read_job(folder: Path) -> Job | None:
    """Returns the job of a folder; None where it has none.

    Raises CheckpointError where the file cannot be read or is not one that a job has written.
    """
    path = folder / JOB
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as err:
        reason = " ".join(f"{type(err).__name__}: {err}".split())[:200]
        raise CheckpointError(
            f"{path} cannot be read ({reason}): remove it to run this job again"
        ) from err


@lru_cache(maxsize=4096)  # of a sweep with many jobs every job looks at the others
def _read(path: Path, changed: int) -> Job:
    return _checked(json.loads(read_bytes(path, _MAX_BYTES)), path.parent)


def _checked(values: Mapping[str, Any], folder: Path) -> Job:
    score = values["score"]
    job = Job(
        number=int(values["number"]),
        words=tuple(map(_text, values["words"])),
        folder=folder,
        status=_text(values["status"]),
        score=None if score is None else {**score, **{n: _number(score[n]) for n in _NUMBERS}},
        expert=_number(values["expert"]),
        objective=_number(values["objective"]),
        labels=_number(values["labels"]),
        seconds=_number(values["seconds"]),
        notes=tuple(map(_text, values["notes"])),
        error=values["error"] and _text(values["error"]),
        trace=values["trace"] and _text(values["trace"]),
    )
    if job.status not in _STATUSES or (job.status == FAILED and not job.error):
        raise ValueError(f"no status of a job: {job.status}")
    return job


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value


def _number(value: Any) -> Any:
    if not (value is None or type(value) in (int, float)):
        raise TypeError(f"not a number: {value!r}")
    return value


def jobs_in(sweep: Path) -> list[Job]:
    """Returns the jobs below a sweep's folder that have started, by number and folder."""
    found = [read_job(folder) for folder in _folders(sweep)]
    return sorted((job for job in found if job), key=lambda job: (job.number, str(job.folder)))


def _folders(sweep: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(sweep):
        if JOB in files:
            inner.clear()  # nothing below a job is one
            yield Path(folder)
        elif SWEEP in files and Path(folder) != sweep:
            inner.clear()  # another sweep's
