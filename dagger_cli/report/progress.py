"""How far a run is, for lists: whether it is trained now, and what it has reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dagger_cli.report.groups import curve_of
from dagger_cli.report.measures import share
from dagger_cli.report.run_record import RunRecord
from dagger_cli.tracking.run_lock import is_locked
from dagger_cli.tracking.run_paths import CONFIG, JOB, METRICS, SUMMARY
from dagger_cli.utils.files import shown_path

STATUSES = ("finished", "stopped", "waiting", "running", "pruned", "failed", "damaged")


@dataclass(frozen=True)
class Progress:
    """A run in a list; returns are nan where unknown, `validation` marks one of validation.

    `swept` is what tells it from the other jobs of its sweep, see `swept.py`.
    """

    folder: str
    env: str
    trainer: str
    seed: str
    status: str
    round: int
    rounds: int | None
    labels: float
    value: float
    validation: bool
    share: float
    changed: float  # time stamp
    reason: str | None
    swept: str

    @property
    def state(self) -> str:
        """Status, with the round of an unfinished run."""
        if self.status not in ("stopped", "waiting", "running", "pruned"):
            return self.status
        return f"{self.status} at {self.round} of {'?' if self.rounds is None else self.rounds}"


def progress_of(run: RunRecord, swept: str = "") -> Progress:
    """Returns the progress of a run that was read."""
    status = "running" if is_locked(run.folder) else run.status
    final = run.final
    known = curve_of(run).returns
    value = final.student if final else float(known.max()) if len(known) else np.nan
    return Progress(
        shown_path(run.folder),
        run.env,
        run.trainer,
        run.seed,
        status,
        run.round,
        run.rounds,
        run.labels,
        value,
        final is None,
        float(share(np.array(final.student), final.expert)) if final else np.nan,
        changed(run.folder),
        run.damaged or run.job.error if status in ("damaged", "failed") else None,
        swept,
    )


def changed(folder: Path) -> float:
    """Returns when the newest of a run's records was written."""
    times = [_written(folder / name) for name in (METRICS, SUMMARY, JOB, CONFIG)]
    return max(times) or _written(folder)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def age(seconds: float) -> str:
    """Returns a duration in its largest unit, such as `3 h`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
