"""summary.json: how a run ended, for programs; and what to do with it next, for people."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

from dagger_cli.core.types import Score, Usage
from dagger_cli.loop.run import Best
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_json


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
        "commands": commands(run, shown=shown),
    }
    with writing(run / "summary.json"):
        write_json(run / "summary.json", value)


def commands(run: Path, *, shown: bool = True) -> dict[str, str]:
    """What to type next, to be pasted into a shell in the current folder.

    Where nothing can be shown (see `write_summary`), there is no command to watch it.
    """
    path = _shown(run)
    checkpoint = shlex.quote(f"checkpoint={_hydra(path)}")
    env, expert = _said_again(run)
    watch = {"watch": " ".join([f"dagger eval {checkpoint} render=human", *env])}
    return {
        "evaluate": " ".join([f"dagger eval {checkpoint}", *env]),
        **(watch if shown else {}),
        "curves": f"tensorboard --logdir {shlex.quote(path)}",
        "resume": " ".join(
            [f"dagger train {shlex.quote(f'resume={_hydra(path)}')}", *env, *expert]
        ),
    }


def _said_again(run: Path) -> tuple[list[str], list[str]]:
    """What of the run's config is imported, which a checkpoint may not choose: for env, expert."""
    import yaml

    try:
        config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        env, expert = config["env"], config["expert"]
        imports, id, target = env.get("imports"), str(env.get("id")), expert.get("target")
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return [], []
    names = imports if isinstance(imports, str) or not imports else f"[{','.join(imports)}]"
    said = [f"env.import={names}"] if names else []
    said += [f"env.id={_hydra(id)}"] if ":" in id else []
    asked = ["expert=python", f"expert.target={_hydra(str(target))}"] if target else []
    return [shlex.quote(word) for word in said], [shlex.quote(word) for word in asked]


def _shown(run: Path) -> str:
    """The shorter way to write the path: from here if it lies below, else from the root."""
    path = os.path.relpath(run)
    return os.path.abspath(run) if path.startswith("..") or path == "." else path


def _hydra(value: str) -> str:
    """The value as Hydra's grammar wants it, which has its own use for = , ( and the like."""
    if re.fullmatch(r"[\w./+@%-]+", value, re.ASCII):
        return value
    return '"' + value.replace('"', r"\"") + '"'
