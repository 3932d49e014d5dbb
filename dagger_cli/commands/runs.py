"""`dagger runs`: lists runs, newest first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dagger_cli.core.errors import ConfigError
from dagger_cli.report.find import runs_below
from dagger_cli.report.listing import json_line, lines
from dagger_cli.report.progress import STATUSES, Progress, progress_of
from dagger_cli.report.run_record import read_run
from dagger_cli.report.swept import swept
from dagger_cli.utils.terminal import sane_size

FILTERS = ("env", "trainer", "status")


def runs(folders: Sequence[Path], filters: Mapping[str, str], *, as_json: bool) -> None:
    """Prints the runs in these folders that pass all filters, each of one or several values."""
    status = filters.get("status", STATUSES[0])
    if not set(status.split(",")) <= set(STATUSES):
        raise ConfigError(f"status must be of {', '.join(STATUSES)}, got '{status}'")
    records = [read_run(folder) for folder in runs_below(folders)]
    own = swept(records)
    found = [progress_of(run, own.get(run.folder, "")) for run in records]
    shown = [run for run in found if all(_passes(run, *pair) for pair in filters.items())]
    shown.sort(key=lambda run: -run.changed)
    if as_json:
        for run in shown:
            print(json_line(run))
        return
    if not shown:
        words = " ".join(f"{key}={value}" for key, value in filters.items())
        print(f"none of {len(found)} runs has {words}")
        return
    for line in lines(shown, _width(), time.time()):
        print(line)


def _passes(run: Progress, key: str, value: str) -> bool:
    return str(getattr(run, key)) in value.split(",")


def _width() -> int | None:
    """Returns the columns of the terminal, or those that COLUMNS gives; None in a pipe."""
    given, _ = sane_size()
    return given or shutil.get_terminal_size((0, 0)).columns or None
