"""The original script's workload: a plain loop compared with `dagger train`, same expert."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from measure import Took, python, score, train, walker_expert
from scoring import first_good, of_the_loop, score_network

SEEDS = 5  # of the quick run, which is to hold its 98 % in all of them
ENOUGH = 12  # rounds of the loop, to reach 98 % in


def reference(repeats: int, runs: Path) -> dict[str, Any]:
    """Runs both with the same labels, network and number of seeds; first all runs, then all scores.

    A loop takes over three minutes. Loops that exist in `runs` are not repeated. They may have run
    while the machine was busy, so wall seconds are also compared with their CPU seconds, which on
    an idle machine are the wall seconds of a program with one thread.
    """
    expert = walker_expert()
    loops = [_whole_loop(runs / f"reference_{seed}", expert, seed) for seed in range(repeats)]
    same = [_run(runs / f"same_{s}", "experiment=walker_100k", s, expert) for s in range(repeats)]
    for run in same:
        run |= score(run.pop("folder"))
    for seed, loop in enumerate(loops):
        loop |= score_network(of_the_loop(runs / f"reference_{seed}", loop.pop("rounds")))
    theirs = float(np.mean([loop["cpu_seconds"] for loop in loops]))
    return {
        "expert": score("expert", "env=bipedal", *expert),
        "loop": loops,
        "same_budget": same,
        "returns": {"loop": _over_seeds(loops), "same_budget": _over_seeds(same)},
        "times_faster": {key: _over(theirs, same, key) for key in ("seconds", "cpu_seconds")},
    }


def _over_seeds(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Returns mean, standard deviation and standard error of the runs' returns over seeds."""
    returns = np.array([run["return"] for run in runs])
    std = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    error = std / len(returns) ** 0.5
    return {"mean": round(float(returns.mean()), 1), "std": round(std, 1), "error": round(error, 1)}


def goal(repeats: int, runs: Path) -> dict[str, Any]:
    """Measures the time from the command to a policy with 98 % of the expert's return."""
    expert, folder = walker_expert(), runs / "reference_goal"
    spent = _loop(folder, expert, f"until={ENOUGH}")
    quick = [_run(runs / f"quick_{s}", "experiment=walker_fast", s, expert) for s in range(SEEDS)]
    for run in quick:
        run |= score(run.pop("folder"))
    of_expert = score("expert", "env=bipedal", *expert)
    least = round(0.98 * of_expert["return"], 1)
    good = first_good(folder, least)
    seconds = None if good is None else round(spent["start_up"] + spent["seconds"][good - 1], 2)
    return {
        "expert": of_expert,
        "goal": least,
        "loop": {"rounds": ENOUGH, "round": good, "seconds": seconds},
        "quick": quick,
        "times_faster": None if seconds is None else _over(seconds, quick, "seconds"),
    }


def _whole_loop(folder: Path, expert: list[str], seed: int) -> dict[str, Any]:
    """Returns the usage of a loop of all rounds; runs it unless `folder` has it."""
    path = folder / "rounds.json"
    kept = json.loads(path.read_text()) if path.exists() else None
    spent = kept or _loop(folder, expert, f"seed={seed}")
    rounds = len(spent["seconds"])
    return {
        "seconds": round(spent["seconds"][-1], 1),
        "cpu_seconds": round(spent["cpu_seconds"][-1], 1),
        "labels": rounds * spent["steps"],
        "rounds": rounds,
    }


def _loop(folder: Path, expert: list[str], *words: str) -> dict[str, Any]:
    """Returns the usage of the reference loop before the first round and after each round."""
    shutil.rmtree(folder, ignore_errors=True)
    path = [f"expert={expert[-1].partition('=')[2]}"] if expert[0] == "expert=path" else []
    cost = python("reference_loop.py", f"out={folder}", *path, *words)
    spent = dict(json.loads((folder / "rounds.json").read_text()))
    trained = (folder / f"policy_{len(spent['seconds'])}.pt").stat().st_mtime
    spent["start_up"] = trained - cost.begun - spent["seconds"][-1]
    return spent


def _run(folder: Path, experiment: str, seed: int, expert: list[str]) -> dict[str, Any]:
    """Returns the CPU seconds of the command, and the wall seconds until the last checkpoint."""
    words = [experiment, *expert, f"seed={seed}", "evaluation.episodes=1"]
    cost, summary, rounds = train(folder, *words)
    shutil.rmtree(folder / "checkpoints" / "aggregate")
    return {
        "folder": str(folder),
        "seconds": round(until_trained(folder, cost), 2),
        "cpu_seconds": round(cost.cpu_seconds, 1),
        "labels": summary["spent"]["labels"],
        "collect": round(sum(r["time/collect"] for r in rounds), 1),
        "fit": round(sum(r["time/fit"] for r in rounds), 1),
    }


def until_trained(folder: Path, cost: Took) -> float:
    """Returns the seconds from the command to the last checkpoint, before the final table."""
    return (folder / "checkpoints" / "last").lstat().st_mtime - cost.begun


def _over(of_loop: float, runs: list[dict[str, Any]], key: str) -> list[float]:
    return [round(of_loop / run[key], 1) for run in runs]
