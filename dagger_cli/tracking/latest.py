"""`latest`: the newest run below outputs/."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.answers import has_answers
from dagger_cli.tracking.paused import paused_at_start
from dagger_cli.tracking.pointers import has_rounds
from dagger_cli.tracking.run_paths import CHECKPOINTS, HUMAN, QUESTIONS

NAME, OUTPUTS = "latest", "outputs"


def with_latest(path: Path, start: Path) -> Path:
    """Returns the path; in `latest` and `latest/last` that of the newest run replaces the name.

    The newest is the one whose last round was saved last, or, in a first round that a person or a
    file has not finished, whose last answers or questions were. `start` is the folder that has
    outputs/. A file or folder of that name is meant first. Raises CheckpointError where there is
    no run.
    """
    given = start / path
    if path.parts[:1] != (NAME,) or (start / NAME).exists():
        return given
    runs = sorted(_runs(start / OUTPUTS))
    if not runs:
        raise CheckpointError(f"there is no run below {start / OUTPUTS}, so none is the latest")
    return Path(runs[-1][1], *path.parts[1:])


def _runs(outputs: Path) -> Iterator[tuple[int, str]]:
    """Yields when each run was last saved, in nanoseconds, and its folder."""
    for folder, inner, _ in os.walk(outputs):
        saved = _saved(Path(folder))
        if saved is not None:
            yield saved.stat().st_mtime_ns, folder
        if saved is not None or CHECKPOINTS in inner:
            inner.clear()  # nothing below a run is one


def _saved(run: Path) -> Path | None:
    """Returns the folder that was written last in a run that can go on; None in any other."""
    if has_rounds(run / CHECKPOINTS):
        return run / CHECKPOINTS
    if has_answers(run):
        return run / HUMAN
    return run / QUESTIONS if paused_at_start(run) else None
