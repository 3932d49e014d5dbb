"""summary.json: how a run ended, for programs; and what to do with it next, for people."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger_cli.core.types import Score, Usage
from dagger_cli.loop.run import Best
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_json


@dataclass(frozen=True)
class ExtraWords:
    """Words that the next commands need besides the path: to evaluate, and to resume."""

    evaluate: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


NO_WORDS = ExtraWords()


def score_summary(score: Score) -> dict[str, Any]:
    """A score in numbers; `failures` counts the episodes that ended badly."""
    return {
        "mean": score.mean,
        "std": score.std,
        "stderr": score.stderr,
        "per_step": score.per_step,
        "min": float(score.returns.min()),
        "max": float(score.returns.max()),
        "failures": score.failures,
        "episodes": len(score.returns),
        "seeds": score.seeds.tolist(),
    }


def write_summary(
    run: Path,
    *,
    student: Score,
    round: int,
    expert: Score,
    best: Best,
    usage: Usage,
    wall_seconds: float,
    shown: bool = True,
    extra: ExtraWords = NO_WORDS,
) -> None:
    """Write summary.json of a finished run; `student` is the score of the policy of `round`.

    `shown` says whether there is anything to watch in its environment.
    """
    value = {
        "student": score_summary(student),
        "student_round": round,
        "expert": score_summary(expert),
        "best": {"round": best.round, "validation_mean": best.mean},
        "spent": usage._asdict(),
        "wall_seconds": wall_seconds,
        "commands": commands(run, shown=shown, extra=extra),
    }
    with writing(run / "summary.json"):
        write_json(run / "summary.json", value)


def commands(run: Path, *, shown: bool = True, extra: ExtraWords = NO_WORDS) -> dict[str, str]:
    """Returns what to type next, to be pasted into a shell in the current folder.

    Without `shown` (see `write_summary`) there is no command to watch the student.
    """
    path = _shown(run)
    evaluate = ["dagger", "eval", f"checkpoint={_hydra(path)}"]
    resume = ["dagger", "train", f"resume={_hydra(path)}", *extra.resume]
    watch = {"watch": shlex.join([*evaluate, "render=human", *extra.evaluate])} if shown else {}
    return {
        "evaluate": shlex.join([*evaluate, *extra.evaluate]),
        **watch,
        "curves": shlex.join(["tensorboard", "--logdir", path]),
        "resume": shlex.join(resume),
    }


def _shown(run: Path) -> str:
    """The shorter way to write the path: from here if it lies below, else from the root."""
    path = os.path.relpath(run)
    return os.path.abspath(run) if path.startswith("..") or path == "." else path


def _hydra(value: str) -> str:
    """The value as Hydra's grammar wants it, which has its own use for = , ( and the like."""
    if re.fullmatch(r"[\w./+@%-]+", value, re.ASCII):
        return value
    return '"' + value.replace('"', r"\"") + '"'
