"""Runs a command: one job, or a sweep of several."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from dagger_cli.cli.command_line import CommandLine, parse
from dagger_cli.cli.hydra_app import completed_line, hand_over
from dagger_cli.cli.jobs import Task
from dagger_cli.cli.sweep_line import Sweep, resumed, retries, sweep_of, typed
from dagger_cli.sweeps.job_file import Job, jobs_in
from dagger_cli.sweeps.results import best_of, sum_up, write_table
from dagger_cli.sweeps.sweep_file import new_folder, resume_command, write_sweep
from dagger_cli.sweeps.watch import watched
from dagger_cli.tracking.run_paths import SWEEP, TABLE_OF_SWEEP
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.quoting import hydra_quoted
from dagger_cli.utils.terminal import printable


def run(command: str, words: Sequence[str]) -> int:
    """Runs `dagger <command> <words>`; returns the exit code, raises the error of a job."""
    given = resumed(parse(command, words))
    line, retry = completed_line(given.without("retry")), retries(given)
    sweep = sweep_of(line) if command == "train" else None
    if sweep is None:
        _run_without_folder(command, line)
    else:
        _run_sweep(sweep, typed(given), retry=retry)
    return 0


def _run_without_folder(command: str, line: CommandLine) -> None:
    """Runs a single job, or a sweep of a command whose jobs have no folders."""
    task = Task(command)
    with _temporary_folder(line) as line:
        hand_over(line, task)
        if line.sweeps:
            sum_up(jobs_in(Path(line.text_of("hydra.sweep.dir") or "")))
    if task.errors:
        raise task.errors[0]


@contextmanager
def _temporary_folder(line: CommandLine) -> Iterator[CommandLine]:
    if not line.sweeps or line.text_of("hydra.sweep.dir") is not None:
        yield line
        return
    with tempfile.TemporaryDirectory() as folder:
        yield line.plus(f"hydra.sweep.dir={hydra_quoted(folder)}")


def _run_sweep(sweep: Sweep, words: Sequence[str], *, retry: bool) -> None:
    """Runs the jobs of a sweep that have not ended, and shows them."""
    folder = (sweep.folder if sweep.chosen else new_folder(sweep.folder)).absolute()
    known = (folder / SWEEP).exists()
    write_sweep(folder, words)
    line = sweep.line.without("hydra.sweep.dir").plus(
        f"hydra.sweep.dir={hydra_quoted(str(folder))}"
    )
    before = {job.folder for job in jobs_in(folder) if job.ended}
    try:
        with watched(folder, sweep.fixed, sweep.total):
            hand_over(line, Task(line.command, retry=retry))
    except KeyboardInterrupt:
        print(f"\nresume  {resume_command(folder, words)}")
        raise
    except Exception:
        sum_up(_jobs(folder, before), sweep.fixed)  # a failed job says more than its sweeper
        raise
    finally:
        jobs = _jobs(folder, before)
        write_table(folder, jobs, sweep.fixed)
        if not jobs and not known:
            _remove(folder)
    best = best_of(folder)
    print("\n" + (f"best   {printable(best)}\n" if best else "") + f"sweep  {shown_path(folder)}")
    sum_up(jobs, sweep.fixed)


def _jobs(folder: Path, before: Collection[Path]) -> list[Job]:
    """Returns the jobs; those that ended `before` this command without their tracebacks."""
    jobs = jobs_in(folder)
    return [replace(job, trace=None) if job.folder in before else job for job in jobs]


def _remove(folder: Path) -> None:
    """Removes the folder of a sweep that has started no job."""
    with suppress(OSError):
        for name in (SWEEP, TABLE_OF_SWEEP, "multirun.yaml"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
