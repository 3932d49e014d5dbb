"""What Hydra calls for every job of a command."""

from __future__ import annotations

import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dagger_cli.cli.dispatch import TASKS, job_of_a_sweep, user_words
from dagger_cli.cli.error_messages import explain
from dagger_cli.cli.unknown_keys import refuse_unknown
from dagger_cli.sweeps.claims import claim
from dagger_cli.sweeps.job_file import FAILED, FINISHED, Job, write_job
from dagger_cli.utils.system import machine_cores, use_cores


@dataclass(frozen=True)
class Task:
    """Runs a command with a composed config, once per job.

    The error of a single run is kept in `errors`: Hydra would print it before raising it. A job of
    a sweep writes its result or its error to its folder, and the others go on. `retry`: a job that
    failed before is run again.
    """

    command: str
    retry: bool = False
    errors: list[Exception] = field(default_factory=list)

    def __call__(self, cfg: DictConfig) -> float | None:
        """Runs one job; returns the objective for sweepers, None where it failed or has none."""
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            return self._in_a_sweep(cfg).objective
        try:
            refuse_unknown(self.command, cfg)
            TASKS[self.command](cfg)
        except Exception as err:
            self.errors.append(err)
            remove_empty(Path(HydraConfig.get().runtime.output_dir))
        return None

    def _in_a_sweep(self, cfg: DictConfig) -> Job:
        config = HydraConfig.get()
        folder = Path(config.runtime.output_dir)
        job = Job(int(config.job.num), tuple(user_words()), folder)
        if self.command == "train":
            job = claim(job, Path(config.sweep.dir).absolute(), retry=self.retry)
            if job.folder != folder:
                remove_empty(folder)
            if job.ended:
                return job
        share_cores(config.launcher)
        began = time.monotonic()
        try:
            refuse_unknown(self.command, cfg)
            if self.command == "train":
                job = job_of_a_sweep(cfg, job)
            else:
                result = TASKS[self.command](cfg)
                summary, objective = result if result is not None else (None, None)
                job = replace(job, status=FINISHED, score=summary, objective=objective)
        except Exception as err:
            job = _failed(job, err)
        job = replace(job, seconds=round(time.monotonic() - began, 3))
        write_job(job)
        return job


def share_cores(launcher: DictConfig) -> None:
    """Limits the cores of this process where the launcher runs several jobs on this machine."""
    cores, at_once = launcher.get("cpus_per_task"), launcher.get("n_jobs", 1)
    if cores is None and at_once != 1:
        whole = machine_cores()
        cores = whole // (whole if at_once < 0 else at_once)
    if cores is not None:
        use_cores(max(1, cores))


def _failed(job: Job, err: Exception) -> Job:
    sentence = explain(err)
    if sentence is not None:
        return replace(job, status=FAILED, error=sentence)
    trace = "".join(traceback.format_exception(err))
    return replace(job, status=FAILED, error=f"{type(err).__name__}: {err}", trace=trace)


def remove_empty(folder: Path) -> None:
    """Removes an empty folder made by Hydra, and empty folders above it."""
    with suppress(OSError, ValueError):
        while Path.cwd() in folder.parents:
            with suppress(FileNotFoundError):
                folder.rmdir()  # raises OSError unless the folder is empty
            folder = folder.parent
