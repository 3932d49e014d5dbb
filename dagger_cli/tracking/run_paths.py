"""Names in a run folder.

run/config.yaml metrics.jsonl summary.json versions.json tb/ curve.svg student.gif
run/human/{answers.jsonl, config.yaml}   with expert=human, also of an unfinished first round
run/checkpoints/aggregate/round_0001.safetensors ...   the rows of each round, written once
run/checkpoints/round_0007/{policy.safetensors, env.safetensors, checkpoint.json}
run/checkpoints/{last -> round_0007, best -> round_0005}   see pointers.py
"""

from __future__ import annotations

import re
from pathlib import Path

from dagger_cli.core.errors import CheckpointError

CHECKPOINTS, AGGREGATE = "checkpoints", "aggregate"
BEST, LAST = "best", "last"
VERSIONS, CONFIG, SUMMARY = "versions.json", "config.yaml", "summary.json"
CURVE, GIF = "curve.svg", "student.gif"
METRICS, TABLE, TENSORBOARD = "metrics.jsonl", "metrics.csv", "tb"
QUESTIONS = "questions"  # what a run asks whose labels come from files
HUMAN = "human"  # the answers of a person, with the run's config; kept without a finished round
JOB, LOG = "job.json", "console.log"  # of a job of a sweep
SWEEP, TABLE_OF_SWEEP = "sweep.yaml", "sweep.csv"
BEST_TRIAL = "optimization_results.yaml"  # of a search
PLAYED = "played."  # before the names of columns of a shard that no learner reads
POLICY, ENV, MANIFEST = "policy.safetensors", "env.safetensors", "checkpoint.json"

_ROUND = re.compile(r"round_(\d{4,9})(\.safetensors)?")


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
    try:
        real = path.resolve()
        inside = folder.resolve() in real.parents
    except (OSError, RuntimeError) as err:  # RuntimeError: a link to itself
        raise CheckpointError(f"{path} leads nowhere ({err}): refused") from err
    if not inside:
        raise CheckpointError(f"{path} points to {real}, outside {folder}: refused")
    return real
