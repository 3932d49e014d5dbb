"""summary.json, the result of a run for programs, and the next commands for the user."""

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
    """Arguments that the next commands need besides the path: to evaluate, and to resume."""

    evaluate: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


NO_WORDS = ExtraWords()


def score_summary(score: Score) -> dict[str, Any]:
    """Returns a score as numbers; `failures` counts the failed episodes."""
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
    """Writes summary.json of a finished run; `student` is the score of the policy of `round`.

    `shown`: the environment can be rendered.
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
    """Returns the next commands, to be pasted into a shell in the current folder.

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
    """Returns the relative path if it is below the current folder, else the absolute one."""
    path = os.path.relpath(run)
    return os.path.abspath(run) if path.startswith("..") or path == "." else path


def _hydra(value: str) -> str:
    """Quotes the value for Hydra's grammar, in which = , ( and others have a meaning."""
    if re.fullmatch(r"[\w./+@%-]+", value, re.ASCII):
        return value
    return '"' + value.replace('"', r"\"") + '"'
