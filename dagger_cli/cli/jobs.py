"""What each job of a command came to, written by the job and read by the process that started it.

A launcher may run jobs in other processes, so nothing is kept in memory: a job writes one file in
the folder of its sweep, `.jobs_*`, which is removed at the end.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dagger_cli.cli.dispatch import TASKS, user_words
from dagger_cli.cli.error_messages import explain
from dagger_cli.cli.shorthands import shorten
from dagger_cli.cli.unknown_keys import refuse_unknown
from dagger_cli.core.errors import ConfigError
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_json


class Job(NamedTuple):
    """Finished job: its number and words, and its score or its error.

    `error` is a sentence for the user; `trace` is the traceback of an error that has none.
    """

    number: int
    words: tuple[str, ...]
    score: dict[str, Any] | None = None
    error: str | None = None
    trace: str | None = None


@dataclass(frozen=True)
class Task:
    """Runs a command with a composed config, once per job.

    The error of a single run is kept in `errors`: Hydra would print it before raising it. A job of
    a sweep writes its result or its error to `folder`, and the others go on.
    """

    command: str
    folder: Path
    errors: list[Exception] = field(default_factory=list)

    def __call__(self, cfg: DictConfig) -> float | None:
        """Runs one job; returns the objective for sweepers, None where it failed or has none."""
        config = HydraConfig.get()
        number = config.job.num if config.mode == RunMode.MULTIRUN else 0
        job, objective = Job(number, tuple(user_words())), None
        try:
            refuse_unknown(self.command, cfg)
            result = TASKS[self.command](cfg)
            if result is not None:
                job = job._replace(score=result.summary)
                objective = result.objective if math.isfinite(result.objective) else None
        except Exception as err:
            self.errors.append(err)
            job = _failed(job, err)
            remove_empty(Path(config.runtime.output_dir))
        if config.mode == RunMode.MULTIRUN:
            with writing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                write_json(self.folder / f"{job.number}.json", job._asdict())
        return objective


def _failed(job: Job, err: Exception) -> Job:
    sentence = explain(err)
    if sentence is not None:
        return job._replace(error=sentence)
    trace = "".join(traceback.format_exception(err))
    return job._replace(error=f"{type(err).__name__}: {err}", trace=trace)


@contextmanager
def records(parent: Path) -> Iterator[Path]:
    """Yields the path of a folder in `parent` for the files of jobs; removes it at the end."""
    folder = parent.absolute() / f".jobs_{uuid4().hex[:12]}"
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
            remove_empty(folder.parent)


def recorded(folder: Path) -> list[Job]:
    """Returns the jobs that have ended, by number."""
    files = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
    jobs = [Job(**{**values, "words": tuple(values["words"])}) for values in files]
    return sorted(jobs, key=lambda job: job.number)


def sum_up(jobs: Sequence[Job]) -> None:
    """Prints a table of the jobs' scores; raises ConfigError where one failed."""
    if len(jobs) == 1 and jobs[0].error is not None and jobs[0].trace is None:
        raise ConfigError(jobs[0].error)
    words = [frozenset(job.words) for job in jobs]
    shared = frozenset.intersection(*words) if words else frozenset()
    names = _distinct([" ".join(shorten(w) for w in j.words if w not in shared) for j in jobs])
    scores = {n: job.score for n, job in zip(names, jobs, strict=True) if job.score is not None}
    if len(scores) > 1:
        from dagger_cli.tracking.console import Console

        Console(failure_name="failures").compare(scores)
    failed = [(n, job) for n, job in zip(names, jobs, strict=True) if job.error is not None]
    for name, job in failed[1:]:
        print(f"dagger: job {name} failed, too: {job.error}", file=sys.stderr)
    for name, job in failed[:1]:
        if job.trace is not None:
            raise RuntimeError(f"job {name} failed:\n{job.trace}")
        raise ConfigError(f"job {name} failed: {job.error}")


def _distinct(names: Sequence[str]) -> list[str]:
    """Returns the names, numbered where a sweeper tried the same values again."""
    again = {name for name in names if names.count(name) > 1}
    return [f"{name} #{i}" if name in again else name for i, name in enumerate(names)]


def remove_empty(folder: Path) -> None:
    """Removes an empty folder made by Hydra, and empty folders above it."""
    with suppress(OSError, ValueError):
        while Path.cwd() in folder.parents:
            with suppress(FileNotFoundError):
                folder.rmdir()  # raises OSError unless the folder is empty
            folder = folder.parent
