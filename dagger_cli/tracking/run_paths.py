"""Layout of a run folder, and interpretation of paths that the user gives.

run/config.yaml metrics.jsonl summary.json versions.json tb/
run/checkpoints/aggregate/round_0001.safetensors ...   the rows of each round, written once
run/checkpoints/round_0007/{policy.safetensors, env.safetensors, checkpoint.json}
run/checkpoints/{last -> round_0007, best -> round_0005}
"""

from __future__ import annotations

import re
from pathlib import Path

from dagger_cli.core.errors import CheckpointError
from dagger_cli.utils.system import at_home

CHECKPOINTS, AGGREGATE = "checkpoints", "aggregate"
BEST, LAST = "best", "last"
VERSIONS = "versions.json"
RUN_FILES = (VERSIONS, "config.yaml", "metrics.jsonl", "summary.json", "tb", CHECKPOINTS)
POLICY, ENV, MANIFEST = "policy.safetensors", "env.safetensors", "checkpoint.json"

_ROUND = re.compile(r"round_(\d{4,})(\.safetensors)?")


def round_name(round: int) -> str:
    """Returns the name of a checkpoint's folder."""
    return f"round_{round:04d}"


def shard_path(checkpoints: Path, round: int) -> Path:
    """Returns the file of the rows that a round added to the aggregate."""
    return checkpoints / AGGREGATE / f"{round_name(round)}.safetensors"


def round_of(path: Path) -> int | None:
    """Returns the round of a checkpoint folder or shard; None for anything else."""
    match = _ROUND.fullmatch(path.name)
    return int(match[1]) if match else None


def check_inside(path: Path, folder: Path) -> Path:
    """Resolves `path`; raises CheckpointError where it leads outside `folder`, also by links."""
    real = path.resolve()
    if folder.resolve() not in real.parents:
        raise CheckpointError(f"{path} points to {real}, outside {folder}: refused")
    return real


def follow(checkpoints: Path, name: str) -> Path:
    """Returns the checkpoint that `best` or `last` points to."""
    link = checkpoints / name
    if not link.is_symlink() and not link.exists():
        raise CheckpointError(
            f"{checkpoints.parent} has no finished round (no {CHECKPOINTS}/{name}): train it again"
        )
    target = check_inside(link, checkpoints)
    if not target.is_dir():
        raise CheckpointError(f"{link} points to {target.name}, which does not exist")
    return target


def resolve_checkpoint(path: str | Path) -> Path:
    """Returns the folder of a checkpoint, from a run, its `best` or `last`, or a copy of one.

    A run and its `checkpoints` mean the best round.
    """
    given = _existing(path)
    if (given / MANIFEST).exists():
        return given.resolve()
    if (given / CHECKPOINTS).is_dir():
        return follow(given / CHECKPOINTS, BEST)
    if given.name == CHECKPOINTS or (given / BEST).is_symlink():
        return follow(given, BEST)
    raise CheckpointError(_why_not(given, f"neither {MANIFEST} nor {CHECKPOINTS}/ in it"))


def resolve_run(path: str | Path) -> Path:
    """Returns the run folder to resume, from itself or anything inside it."""
    given = _existing(path).resolve()
    for folder in (given, *given.parents):
        last = folder / CHECKPOINTS / LAST
        if last.is_symlink() or last.exists():
            return folder
    if (given / MANIFEST).exists():
        raise CheckpointError(
            f"{given} is a copy of one checkpoint and can only be evaluated: to resume, give the "
            "run folder it came from, which also has the labelled states"
        )
    if (given / CHECKPOINTS).is_dir() or (given / "config.yaml").exists():
        raise CheckpointError(f"{given} has no finished round to resume from: train it again")
    raise CheckpointError(_why_not(given, f"no {CHECKPOINTS}/{LAST} in it or above it"))


def _existing(path: str | Path) -> Path:
    """Returns an existing path; `run/best` means `run/checkpoints/best`."""
    given = at_home(path)
    if given.name in (BEST, LAST) and (given.parent / CHECKPOINTS).is_dir():
        return follow(given.parent / CHECKPOINTS, given.name)
    if given.name in (BEST, LAST) and given.is_symlink():
        return follow(given.parent, given.name)
    if not given.exists():
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
    if not any(given.iterdir()):
        return f"{given} is empty: give a run folder or a checkpoint folder"
    return f"{given} is neither a run nor a checkpoint ({lacking})"
