"""What an interrupted run leaves in its folder, and the removal of exactly that.

Files of other people may have the same names, so a folder counts as one of a run only with a
versions.json as a run writes it, and only files that a run without a finished round can have left
are removed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.manifest import read_manifest
from dagger_cli.tracking.pointers import has_rounds
from dagger_cli.tracking.run_paths import (
    AGGREGATE,
    BEST,
    CHECKPOINTS,
    CONFIG,
    ENV,
    JOB,
    LAST,
    MANIFEST,
    METRICS,
    POLICY,
    SUMMARY,
    TABLE,
    TENSORBOARD,
    VERSIONS,
    check_inside,
    round_name,
)
from dagger_cli.utils.files import plain, read_bytes

_FIRST = round_name(1)
_NAMES = (VERSIONS, CONFIG, METRICS, TABLE, SUMMARY, TENSORBOARD, CHECKPOINTS)
_MAX_VERSIONS = 2**20  # bytes
_DRAFT = r"\.({})\.[\w.]+\.tmp"
_TOP_DRAFT = _DRAFT.format("|".join((VERSIONS, CONFIG, METRICS, TABLE, SUMMARY, JOB)))
_ROUND_FILES = rf"{_FIRST}/({POLICY}|{ENV}|{MANIFEST})"
# Files that a run without a finished round can have left. The first round may be complete, see
# `finished`; drafts of folders contain the same files as the folders.
_LEFT = re.compile(
    "|".join(
        (
            rf"{VERSIONS}|{CONFIG}|{METRICS}|{TABLE}",
            _TOP_DRAFT,
            rf"{TENSORBOARD}/events\.out\.tfevents\.[^/]+",
            rf"{CHECKPOINTS}/({BEST}|{_ROUND_FILES})",
            rf"{CHECKPOINTS}/{_DRAFT.format(f'{BEST}|{LAST}')}",
            rf"{CHECKPOINTS}/{_DRAFT.format(_FIRST)}(/[^/]+)?",
            rf"{CHECKPOINTS}/{AGGREGATE}/{_FIRST}\.safetensors",
            rf"{CHECKPOINTS}/{AGGREGATE}/{_DRAFT.format(rf'{_FIRST}.safetensors')}",
        )
    )
)


def finished(folder: Path, config: Mapping[str, Any] | None) -> bool:
    """Returns whether the folder has a finished round of a run.

    A run that was killed between its first checkpoint and the pointer to it counts as unfinished if
    the new run has the same config: it will write the same round.
    """
    checkpoints = folder / CHECKPOINTS
    if os.path.lexists(checkpoints / LAST):
        return True
    if not has_rounds(checkpoints):
        return False
    if (folder / SUMMARY).exists() or config is None:
        return True
    try:
        return bool(read_manifest(checkpoints / _FIRST).config != plain(config, lambda x: x))
    except CheckpointError:
        return True


def foreign(folder: Path) -> str | None:
    """Returns a file in the way of a new run that is not of an interrupted one; None without."""
    present = [name for name in _NAMES if os.path.lexists(folder / name)]
    if present and not _is_of_a_run(folder / VERSIONS):
        return VERSIONS if VERSIONS in present else present[0]
    for path in _inside(folder):
        if not path.is_dir() or path.is_symlink():
            name = path.relative_to(folder).as_posix()
            if _LEFT.fullmatch(name) is None:
                return name
    return None


def clear(folder: Path) -> None:
    """Removes what a run without a finished round has left; keeps everything else.

    versions.json is removed last: without it the rest would count as other people's.
    """
    inner_first = reversed([*_inside(folder)])
    for path in sorted(inner_first, key=lambda path: path == folder / VERSIONS):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif _LEFT.fullmatch(path.relative_to(folder).as_posix()):
            path.unlink()


def check_links(folder: Path) -> None:
    """Raises CheckpointError where an entry of a run's folder is a link that leads outside of it.

    What a resumed run and its loggers write must stay in the folder, which may have come from
    elsewhere.
    """
    for entry in (*folder.iterdir(), folder / CHECKPOINTS / AGGREGATE):
        if entry.is_symlink():
            check_inside(entry, folder)
    board = folder / TENSORBOARD
    for entry in board.iterdir() if board.is_dir() else ():
        if entry.is_symlink():
            raise CheckpointError(f"{entry} is a symbolic link, which no run writes: remove it")


def remove_drafts(folder: Path) -> None:
    """Removes the files of interrupted writes in the run folder itself."""
    for entry in folder.iterdir():
        if re.fullmatch(_TOP_DRAFT, entry.name) and (entry.is_symlink() or entry.is_file()):
            entry.unlink()


def _inside(folder: Path) -> Iterator[Path]:
    """Yields the entries of a run folder that have names of a run, folders before their content."""
    for entry in sorted(folder.iterdir()):
        if entry.name in _NAMES or re.fullmatch(_TOP_DRAFT, entry.name):
            yield entry
            if entry.is_dir() and not entry.is_symlink():
                yield from sorted(entry.rglob("*"))


def _is_of_a_run(path: Path) -> bool:
    """Returns whether this is a versions.json as written by `versions`."""
    try:
        found = json.loads(read_bytes(path, _MAX_VERSIONS))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"dagger-cli", "python", "packages"} <= set(found)
