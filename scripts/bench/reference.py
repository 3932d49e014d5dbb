"""The original script's workload: our plain loop against `dagger train`, the same expert."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from measure import python, score, train, walker_expert
from scoring import first_good, of_the_loop, score_network

SEEDS = 5  # of the quick run, which is to hold its 98 % in all of them


def reference(repeats: int, runs: Path) -> dict[str, Any]:
    """First all that is timed, then all that is scored."""
    expert = walker_expert()
    loop = runs / "reference"
    shutil.rmtree(loop, ignore_errors=True)
    path = [f"expert={expert[-1].partition('=')[2]}"] if expert[0] == "expert=path" else []
    python("reference_loop.py", f"out={loop}", *path)
    same = [_run(runs / f"same_{s}", "experiment=walker_100k", s, expert) for s in range(repeats)]
    quick = [_run(runs / f"quick_{s}", "experiment=walker_fast", s, expert) for s in range(SEEDS)]
    spent = json.loads((loop / "rounds.json").read_text())
    for run in (*same, *quick):
        run |= score(run["folder"])
    of_expert = score("expert", "env=bipedal", *expert)
    goal = 0.98 * of_expert["return"]
    last = len(spent["seconds"])
    theirs = {
        "seconds": round(spent["seconds"][-1], 1),
        "cpu_seconds": round(spent["cpu_seconds"][-1], 1),
        "labels": last * spent["steps"],
        **score_network(of_the_loop(loop, last)),
    }
    good = first_good(loop, goal)
    reached = None if good is None else round(spent["seconds"][good - 1], 1)
    return {
        "expert": of_expert,
        "goal": round(goal, 1),
        "loop": theirs,
        "loop_reaches_goal": {"round": good, "seconds": reached},
        "same_budget": same,
        "quick": quick,
        "times_faster": {key: _over(theirs[key], same, key) for key in ("seconds", "cpu_seconds")},
        "times_faster_to_goal": None if reached is None else _over(reached, quick, "seconds"),
    }


def _run(folder: Path, experiment: str, seed: int, expert: list[str]) -> dict[str, Any]:
    """The whole command's processor seconds; wall seconds up to the last round's checkpoint."""
    words = [experiment, *expert, f"seed={seed}", "evaluation.episodes=1"]
    cost, summary, rounds = train(folder, *words)
    shutil.rmtree(folder / "checkpoints" / "aggregate")
    return {
        "folder": str(folder),
        "seconds": round(until_trained(folder, cost.seconds), 1),
        "cpu_seconds": round(cost.cpu_seconds, 1),
        "labels": summary["spent"]["labels"],
        "collect": round(sum(r["time/collect"] for r in rounds), 1),
        "fit": round(sum(r["time/fit"] for r in rounds), 1),
        "validate": round(sum(r["time/validate"] for r in rounds), 1),
    }


def until_trained(folder: Path, seconds: float) -> float:
    """Seconds from the command to the checkpoint of the last round: the final table comes after."""
    trained = (folder / "checkpoints" / "last").lstat().st_mtime
    return seconds - ((folder / "summary.json").stat().st_mtime - trained)


def _over(of_loop: float, runs: list[dict[str, Any]], key: str) -> list[float]:
    return [round(of_loop / run[key], 1) for run in runs]
