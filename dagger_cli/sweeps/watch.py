"""Shows the jobs of a sweep while they run: a line for each that ends, and what is going on.

Everything is read from the jobs' folders, so it is the same for every launcher.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from dagger_cli.core.errors import DaggerError
from dagger_cli.sweeps.job_file import Job, jobs_in
from dagger_cli.sweeps.results import names_of, write_table
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.run_paths import LOG
from dagger_cli.utils.files import check_regular

INTERVAL = 0.25  # seconds between two looks
SHARE = 50  # a look at many jobs takes longer: at most 2 % of the time
SILENT = 30.0  # seconds after which a line is printed where there is no terminal
_TAIL = 4096  # bytes of a log


@contextmanager
def watched(sweep: Path, fixed: Collection[str], total: int | None) -> Iterator[None]:
    """Shows the jobs below `sweep`, and keeps sweep.csv, while the block runs.

    `fixed` are overrides that all jobs share; `total` is the number of jobs, None if unknown.
    """
    watch = _Watch(sweep, fixed, total)
    end = threading.Event()

    def look() -> None:
        pause = INTERVAL
        while not end.wait(pause):
            begin = time.monotonic()
            with suppress(DaggerError, OSError):  # a full disk, a closed pipe: met again at the end
                watch.look()
            pause = max(INTERVAL, SHARE * (time.monotonic() - begin))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
        watch.look()
        watch.close()


class _Watch:
    def __init__(self, sweep: Path, fixed: Collection[str], total: int | None) -> None:
        self._sweep, self._fixed, self._total = sweep, fixed, total
        self._console, self._said = Console(), time.monotonic()
        self._shown = {job.folder for job in self._jobs() if job.ended}
        self._notes: set[str] = set()
        if self._shown:
            self._console.line(f"{len(self._shown)} jobs have ended before")
        self._bar = self._console.bar("jobs", len(self._shown), total) if total else None

    def look(self) -> None:
        """Shows what is new, and writes it to sweep.csv."""
        jobs = self._jobs()
        names = dict(zip((j.folder for j in jobs), names_of(jobs, self._fixed), strict=True))
        new = [job for job in jobs if job.ended and job.folder not in self._shown]
        for job in new:
            self._shown.add(job.folder)
            self._show(job, names[job.folder])
        if new:
            write_table(self._sweep, jobs, self._fixed)
        running = [job for job in jobs if not job.ended]
        if running:
            latest = max(running, key=lambda job: _changed(job.folder / LOG))
            self._show_running(
                f"{names[latest.folder]}: {_last_line(latest.folder / LOG)}", len(running)
            )

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _jobs(self) -> list[Job]:
        with suppress(DaggerError):  # reported at the end
            return jobs_in(self._sweep)
        return []

    def _show(self, job: Job, name: str) -> None:
        for note in job.notes:
            if note not in self._notes:
                self._notes.add(note)
                self._console.line(f"note: {note}", style="yellow")
        of = "" if self._total is None else f"/{self._total}"
        self._say(f"job {len(self._shown)}{of}  {name}  {_outcome(job)}")
        if self._bar is not None:
            self._bar.advance(len(self._shown))

    def _show_running(self, text: str, running: int) -> None:
        count = f"{running} running: " if running > 1 else ""
        if self._bar is not None:
            self._bar.part(count + text)
        elif time.monotonic() - self._said > SILENT:
            self._say(count + text)

    def _say(self, text: str) -> None:
        self._said = time.monotonic()
        self._console.line(text)


def _outcome(job: Job) -> str:
    if job.score is None:
        return f"{job.status}: {job.error}" if job.error else job.status
    spread = f"return {job.score['mean']:,.2f} ± {job.score['std']:,.2f}"
    labels = "" if job.labels is None else f"  labels {job.labels:,}"
    return f"{spread}{labels}  {timedelta(seconds=round(job.seconds or 0))}"


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _last_line(path: Path) -> str:
    """Returns the last line of a job's log, which says how far it is."""
    try:
        check_regular(path, 2**40)
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = file.read(_TAIL).decode(errors="replace").split("\n")
    except OSError:
        return "starts"
    return next((line.strip() for line in reversed(lines) if line.strip()), "starts")
