"""summary.json, the result of a run for programs, and the next commands for the user."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagger_cli.core.types import Score, Usage
from dagger_cli.loop.run import Best
from dagger_cli.tracking.run_paths import SUMMARY
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import read_bytes, shown_path, write_json
from dagger_cli.utils.quoting import hydra_value, shell_joined


@dataclass(frozen=True)
class ExtraWords:
    """Arguments that the next commands need besides the path: to evaluate, and to resume."""

    evaluate: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


NO_WORDS = ExtraWords()
_MAX_BYTES = 2**22  # of summary.json


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
    expert: Score | None,
    best: Best,
    usage: Usage,
    wall_seconds: float,
    shown: bool = True,
    extra: ExtraWords = NO_WORDS,
) -> None:
    """Writes summary.json of a finished run; `student` is the score of the policy of `round`.

    `expert` is None where only the student was scored.
    `shown`: the environment can be rendered.
    """
    value = {
        "student": score_summary(student),
        "student_round": round,
        "expert": None if expert is None else score_summary(expert),
        "best": {"round": best.round, "validation_mean": best.mean},
        "spent": usage._asdict(),
        "wall_seconds": wall_seconds,
        "commands": commands(run, shown=shown, extra=extra),
    }
    with writing(run / "summary.json"):
        write_json(run / "summary.json", value)


def student_of(run: Path, usage: Usage) -> dict[str, Any] | None:
    """Returns the student's score in summary.json; None unless it was written after this usage."""
    try:
        value = json.loads(read_bytes(run / SUMMARY, _MAX_BYTES))
        return dict(value["student"]) if value["spent"] == usage._asdict() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def choice_in_words(best: Best, rounds: int, *, by: str, tolerance: float, last: bool) -> str:
    """Returns which round the student of the final table is of, and why."""
    if last:
        return f"round {rounds}, the last (evaluation.checkpoint=last)"
    if math.isnan(best.top):
        return f"round {rounds}, the last (no validation)"
    if by == "agreement":
        what = f"agreement with the expert in its own states, {best.top:.1%}"
    else:
        what = f"validation return, {_number(best.top)}"
    chosen = f"round {best.round} of {rounds}"
    if by == "return" and best.mean == best.top:
        return f"{chosen}, with the highest {what}"
    return f"{chosen}, the latest within {100 * tolerance:g}% of the highest {what}"


def _number(value: float) -> str:
    return f"{value:,.{1 if abs(value) >= 10 else 4}f}"


def commands(run: Path, *, shown: bool = True, extra: ExtraWords = NO_WORDS) -> dict[str, str]:
    """Returns the next commands, to be pasted into a shell in the current folder.

    Without `shown` (see `write_summary`) there is no command to watch the student.
    """
    path = shown_path(run)
    evaluate = ["dagger", "eval", f"checkpoint={hydra_value(path)}"]
    resume = ["dagger", "train", f"resume={hydra_value(path)}", *extra.resume]
    watch = {"watch": shell_joined([*evaluate, "render=human", *extra.evaluate])} if shown else {}
    return {
        "evaluate": shell_joined([*evaluate, *extra.evaluate]),
        **watch,
        "curves": shell_joined(["tensorboard", "--logdir", path]),
        "resume": shell_joined(resume),
    }
