"""Pointers `best` and `last` of a run to two of its rounds.

A pointer is a symbolic link. Where the file system has none (exFAT, SMB, Google Drive) it is a text
file with the name of the round. Copies of a run may have lost the links (zip, S3) or contain the
rounds in their place (cp -L): then `last` is the highest round, and `best` the one named there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.tracking.manifest import read_manifest
from dagger_cli.tracking.run_paths import (
    CHECKPOINTS,
    LAST,
    MANIFEST,
    check_inside,
    round_name,
    round_of,
)
from dagger_cli.utils.files import read_bytes, replace_link, write_text

_LONGEST = 64  # bytes of a text file


def point(checkpoints: Path, name: str, round: int) -> None:
    """Makes the pointer `name` point to a round, by one rename; raises OSError."""
    pointer, target = checkpoints / name, round_name(round)
    if pointer.is_dir() and not pointer.is_symlink():
        _remove_copy(pointer, checkpoints)
    try:
        replace_link(pointer, target)
    except OSError:
        write_text(pointer, f"{target}\n")


def follow(checkpoints: Path, name: str) -> Path:
    """Returns the checkpoint that `best` or `last` points to."""
    target = _target(checkpoints / name) or _derived(checkpoints, name)
    if target is None:
        raise CheckpointError(
            f"{checkpoints.parent} has no finished round in {CHECKPOINTS}/: train it again"
        )
    folder = checkpoints / target
    if not folder.is_dir():
        raise CheckpointError(f"{checkpoints / name} points to {target}, which does not exist")
    return check_inside(folder, checkpoints)


def has_rounds(checkpoints: Path) -> bool:
    """Returns whether there is a pointer, or a round without one."""
    return os.path.lexists(checkpoints / LAST) or _highest(checkpoints) is not None


def _target(pointer: Path) -> str | None:
    """Returns the name of the round in a pointer; None without a pointer."""
    if not pointer.is_symlink() and (pointer.is_dir() or not pointer.exists()):
        return None
    try:
        if pointer.is_symlink():
            target = os.readlink(pointer)
        else:
            target = read_bytes(pointer, _LONGEST).decode("ascii", "replace").strip()
    except OSError as err:
        raise CheckpointError(f"{pointer} cannot be read: {err.strerror}") from err
    if target != Path(target).name or round_of(Path(target)) is None:
        raise CheckpointError(f"{pointer} points to {target!r}, not to a round beside it: refused")
    return target


def _derived(checkpoints: Path, name: str) -> str | None:
    """Returns the round that a lost pointer pointed to; None without rounds."""
    if name == LAST:
        highest = _highest(checkpoints)
        return None if highest is None else round_name(highest)
    if not has_rounds(checkpoints):
        return None
    return round_name(read_manifest(follow(checkpoints, LAST)).best.round)


def _highest(checkpoints: Path) -> int | None:
    """Returns the highest round with a checkpoint; None without one."""
    if not checkpoints.is_dir():
        return None
    rounds = [round_of(e) or 0 for e in checkpoints.iterdir() if (e / MANIFEST).is_file()]
    return max(rounds, default=0) or None


def _remove_copy(folder: Path, checkpoints: Path) -> None:
    """Removes a copy of a round that is in a pointer's place; raises CheckpointError for others."""
    # The manifest has the hashes of the other files.
    manifest = read_manifest(folder)
    original = checkpoints / round_name(manifest.round)
    names = {entry.name for entry in folder.iterdir()}
    if names - {MANIFEST, *manifest.files} or not (original / MANIFEST).is_file():
        raise CheckpointError(f"{folder} is a folder and no copy of a round: move it away")
    if read_manifest(original) != manifest:
        raise CheckpointError(f"{folder} differs from {original}: move one of them away")
    shutil.rmtree(folder)
