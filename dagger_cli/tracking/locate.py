"""Interpretation of paths to runs and checkpoints that the user gives."""

from __future__ import annotations

import os
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.paused import paused_at_start
from dagger_cli.tracking.pointers import follow, has_rounds
from dagger_cli.tracking.run_paths import (
    BEST,
    CHECKPOINTS,
    CONFIG,
    LAST,
    MANIFEST,
    check_inside,
    round_of,
)
from dagger_cli.utils.system import at_home


def resolve_checkpoint(path: str | Path) -> Path:
    """Returns the folder of a checkpoint, from a run, its `best` or `last`, or a copy of one.

    A run and its `checkpoints` mean the best round. Raises CheckpointError.
    """
    given = _existing(path)
    if (given / MANIFEST).exists():
        return given.resolve()
    if (given / CHECKPOINTS).is_dir():
        return follow(given / CHECKPOINTS, BEST)
    if given.name == CHECKPOINTS or os.path.lexists(given / BEST):
        return follow(given, BEST)
    raise CheckpointError(_why_not(given, f"neither {MANIFEST} nor {CHECKPOINTS}/ in it"))


def resolve_run(path: str | Path) -> Path:
    """Returns the run folder to resume, from itself or anything inside it.

    Raises CheckpointError.
    """
    given = _existing(path).resolve()
    for folder in (given, *given.parents):
        if has_rounds(folder / CHECKPOINTS):
            check_inside(folder / CHECKPOINTS, folder)  # another run would be continued
            return folder
    if paused_at_start(given):
        return given
    if (given / MANIFEST).exists():
        raise CheckpointError(
            f"{given} is a copy of one checkpoint and can only be evaluated: to resume, give the "
            "run folder it came from, which also has the labelled states"
        )
    if (given / CHECKPOINTS).is_dir() or (given / CONFIG).exists():
        raise CheckpointError(f"{given} has no finished round to resume from: train it again")
    raise CheckpointError(_why_not(given, f"no {CHECKPOINTS}/{LAST} in it or above it"))


def resolve_resumed(path: str | Path) -> Path:
    """Returns the checkpoint that a run continues from: the one given, else the run's last one.

    Raises CheckpointError.
    """
    checkpoints, given = resolve_run(path) / CHECKPOINTS, _existing(path).resolve()
    for folder in (given, *given.parents):
        if folder.parent == checkpoints and folder.is_dir() and round_of(folder) is not None:
            return folder
    return follow(checkpoints, LAST)


def _existing(path: str | Path) -> Path:
    """Returns an existing path; `run/best` means `run/checkpoints/best`."""
    try:
        given = at_home(path)
        if given.name in (BEST, LAST):
            for checkpoints in (given.parent / CHECKPOINTS, given.parent):
                if has_rounds(checkpoints):
                    return follow(checkpoints, given.name)
        exists = given.exists()
    except (OSError, RuntimeError, ValueError) as err:
        # A name that is too long, a link to itself, the home of a user who does not exist.
        raise CheckpointError(f"there is no run or checkpoint at {path} ({err})") from err
    if not exists:
        raise CheckpointError(f"there is no run or checkpoint at {given}{_siblings(given)}")
    return given


def _siblings(missing: Path) -> str:
    if not missing.parent.is_dir():
        return ""
    names = sorted(entry.name for entry in missing.parent.iterdir() if entry.is_dir())
    if not names:
        return ""
    shown = ", ".join(names[-5:]) + (", ..." if len(names) > 5 else "")
    return f"; {missing.parent} has {shown}"


def _why_not(given: Path, lacking: str) -> str:
    if given.is_file():
        return f"{given} is a file: give the run folder or the checkpoint folder"
    if given.is_dir() and not any(given.iterdir()):
        return f"{given} is empty: give a run folder or a checkpoint folder"
    return f"{given} is neither a run nor a checkpoint ({lacking})"
