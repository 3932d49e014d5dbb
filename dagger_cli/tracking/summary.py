"""summary.json, the result of a run for programs, and the next commands for the user."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dagger_cli.core.errors import CheckpointError
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
    objective: tuple[str, float],
    usage: Usage,
    wall_seconds: float,
    shown: bool = True,
    extra: ExtraWords = NO_WORDS,
) -> None:
    """Writes summary.json of a finished run; `student` is the score of the policy of `round`.

    `expert` is None where only the student was scored. `objective` is its name and value.
    `shown`: the environment can be rendered.
    """
    value = {
        "student": score_summary(student),
        "student_round": round,
        "expert": None if expert is None else score_summary(expert),
        "best": {"round": best.round, "validation_mean": best.mean},
        "objective": dict([objective]),
        "spent": usage._asdict(),
        "wall_seconds": wall_seconds,
        "commands": commands(run, shown=shown, extra=extra),
    }
    with writing(run / "summary.json"):
        write_json(run / "summary.json", value)


class Summary(NamedTuple):
    """Result of a finished run, as in summary.json.

    `expert` is the expert's mean return, None where only the student was scored; `objective` is
    what a sweeper optimizes, None without validation.
    """

    student: Mapping[str, Any]
    expert: float | None
    objective: float | None
    usage: Mapping[str, int]


def read_summary(run: Path) -> Summary:
    """Reads summary.json; raises CheckpointError where it is missing or invalid."""
    try:
        value = json.loads(read_bytes(run / SUMMARY, _MAX_BYTES))
        student, expert = dict(value["student"]), value["expert"]
        usage = dict(value["spent"])
        (objective,) = value.get("objective", {"": None}).values()  # older runs have none
        means = (student["mean"], objective, None if expert is None else expert["mean"])
        _, objective, mean = (None if mean is None else float(mean) for mean in means)
        return Summary(student, mean, objective, usage)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise CheckpointError(
            f"{run / SUMMARY} cannot be read ({type(err).__name__}): score the run again, "
            f"dagger train resume={run} evaluation.episodes=..."
        ) from err


def is_scored(run: Path, usage: Usage) -> bool:
    """Returns whether summary.json has the scores of the run after this usage."""
    try:
        return read_summary(run).usage == usage._asdict()
    except CheckpointError:
        return False


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
