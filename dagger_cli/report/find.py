"""Run folders below the folders that the user gives."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.latest import NAME, with_latest
from dagger_cli.tracking.run_paths import (
    CHECKPOINTS,
    CONFIG,
    JOB,
    METRICS,
    SUMMARY,
    SWEEP,
    VERSIONS,
)
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.system import at_home

_WITH_CONFIG = (CHECKPOINTS, METRICS, SUMMARY, VERSIONS)


def existing(words: Sequence[str]) -> list[Path]:
    """Returns the folders that words name: paths, patterns (`sweep/*_sup_*`) or `latest`.

    The latest of a sweep's jobs stands for the sweep.
    Raises CheckpointError where one does not exist.
    """
    return [path for word in words for path in _paths(word)]


def runs_below(folders: Sequence[Path]) -> list[Path]:
    """Returns the run folders in these folders, each once; raises CheckpointError for none."""
    found = [run for folder in folders for run in _runs(folder)]
    unique = {os.path.realpath(run): run for run in reversed(found)}
    if not unique:
        names = ", ".join(shown_path(folder) for folder in folders)
        raise CheckpointError(f"there is no run in {names}: give runs, sweeps or folders of them")
    return sorted(unique.values(), key=lambda run: by_number(str(run)))


def _paths(word: str) -> list[Path]:
    try:
        path = with_latest(at_home(word), Path())
        if word == NAME and (path.parent / SWEEP).is_file():
            path = path.parent  # a job is one row of its sweep
        if path.is_dir():
            return [path]
        matching = [Path(name) for name in sorted(glob.glob(str(path)))]
    except (OSError, ValueError) as err:
        raise CheckpointError(f"there is no folder {word} ({err})") from err
    folders = [match for match in matching if match.is_dir()]
    if folders:
        return folders
    what = "is a file: give a run, a sweep or a folder of them" if path.exists() else ""
    raise CheckpointError(f"{word} {what or 'does not exist: give a run, a sweep or a folder'}")


def _runs(top: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(top):
        names = {*inner, *files}
        if is_run(names):
            inner.clear()  # nothing below a run is one
            yield Path(folder)
        inner.sort()


def is_run(names: set[str]) -> bool:
    """Returns whether a folder with these entries is that of a run, or of a job that failed."""
    return JOB in names or (CONFIG in names and bool(names & set(_WITH_CONFIG)))


def by_number(text: str) -> list[tuple[int, str]]:
    """Returns a key that sorts `2_x` before `10_x`."""
    parts = re.split(r"([0-9]{1,18})", text)
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)]
