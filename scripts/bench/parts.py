"""The parts of the benchmark; each takes (repeats, folder for runs) and returns its figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import python, took, train, walker_expert

Figures = dict[str, Any]
UNSEEN = range(50_000, 50_100)  # neither the table's seeds nor any that defaults were chosen on
BRIEF = ["evaluation.episodes=1", "validation.episodes=1"]


def startup(repeats: int, runs: Path) -> Figures:
    """Seconds, the best and the median of the repeats."""
    here = [sys.executable, "-m", "dagger_cli.cli"]
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "import dagger_cli": [sys.executable, "-c", "import dagger_cli"],
        "import torch": [sys.executable, "-c", "import torch"],
        "dagger --version": [*here, "--version"],
        "dagger --help": [*here, "--help"],
        "dagger train --cfg job": [*here, "train", "--cfg", "job"],
    }
    taken = {
        name: [took(words).seconds for _ in range(repeats)] for name, words in commands.items()
    }
    return {name: _spread(seconds) for name, seconds in taken.items()}


def collection(repeats: int, runs: Path) -> Figures:
    """Steps a second with actor, expert and labels, over the backend's bare rate."""
    lines = {}
    for backend, n_envs in (("envpool", 16), ("envpool", 32), ("gymnasium", 16)):
        words = [f"backend={backend}", f"n_envs={n_envs}", f"repeats={repeats}"]
        lines[f"{backend}, {n_envs} environments"] = json.loads(
            python("collection.py", *words).output.splitlines()[-1]
        )
    return lines


def fit(repeats: int, runs: Path) -> Figures:
    """Microseconds of a gradient step, and of its matrix products alone."""
    return dict(json.loads(python("fitting.py", f"repeats={repeats}").output.splitlines()[-1]))


def growth(repeats: int, runs: Path) -> Figures:
    """A whole `dagger train` of 100,000 and of 400,000 labels."""
    figures: Figures = {"seconds": {}, "peak_mib": {}}
    for labels in (100_000, 400_000):
        words = ["env=bipedal", "expert=bundled", "steps_per_round=10000", "n_envs=32", *BRIEF]
        words.append(f"rounds={labels // 10_000}")
        costs = [train(runs / f"growth_{labels}", *words)[0] for _ in range(repeats)]
        figures["seconds"][labels] = _spread([cost.seconds for cost in costs])
        figures["peak_mib"][labels] = round(max(cost.peak_mib for cost in costs))
    seconds, peaks = figures["seconds"], figures["peak_mib"]
    figures["seconds_ratio"] = round(seconds[400_000]["median"] / seconds[100_000]["median"], 2)
    row = 24 * 4 + 8 + 4 * 4  # bytes: observation, step, label
    more = (peaks[400_000] - peaks[100_000]) * 2**20 / (300_000 * row)
    figures["memory_per_byte_of_aggregate"] = round(more, 2)
    return figures


def reference(repeats: int, runs: Path) -> Figures:
    """The original script's workload: our plain loop against `dagger train`, the same expert."""
    from scoring import first_good, score_reference, score_run

    expert = walker_expert()
    path = [f"expert={expert[-1].partition('=')[2]}"] if expert[0] == "expert=path" else []
    plain = runs / "reference"
    if not (plain / "rounds.json").exists():
        python("reference_loop.py", f"out={plain}", *path)
    seconds = json.loads((plain / "rounds.json").read_text())["seconds"]
    goal = 0.98 * score_run(None, expert, UNSEEN).mean
    reached = first_good(plain, goal, UNSEEN)
    theirs = score_reference(plain, len(seconds), UNSEEN)
    same, quick = [], []
    for seed in range(repeats):
        words = [*expert, f"seed={seed}", "evaluation.episodes=1"]
        same.append(_run(runs / f"same_{seed}", ["experiment=walker_100k", *words], expert))
        quick.append(_run(runs / f"quick_{seed}", ["experiment=walker_fast", *words], expert))
    ours = [run["seconds"] for run in same]
    return {
        "expert_98_percent": round(goal, 1),
        "reference_seconds": round(seconds[-1], 1),
        "reference_return": [round(theirs.mean, 1), theirs.failures],
        "reference_reaches_98_percent_after": {
            "round": reached,
            "seconds": None if reached is None else round(seconds[reached - 1], 1),
        },
        "same_budget": same,
        "times_faster_at_the_same_budget": [round(seconds[-1] / s, 1) for s in ours],
        "quick": quick,
        "times_faster_to_98_percent": None
        if reached is None
        else [round(seconds[reached - 1] / run["seconds"], 1) for run in quick],
    }


def _run(folder: Path, words: list[str], expert: list[str]) -> Figures:
    """Seconds from the command to the last round's checkpoint, and what was shipped then."""
    from scoring import score_run

    cost, summary, rounds = train(folder, *words)
    score = score_run(folder, expert, UNSEEN)
    final = cost.seconds - _until_trained(folder, cost.seconds, summary)
    return {
        "seconds": round(cost.seconds - final, 1),
        "labels": summary["spent"]["labels"],
        "return": round(score.mean, 1),
        "falls": score.failures,
        "collect": round(sum(r["time/collect"] for r in rounds), 1),
        "fit": round(sum(r["time/fit"] for r in rounds), 1),
        "validate": round(sum(r["time/validate"] for r in rounds), 1),
    }


def _until_trained(folder: Path, seconds: float, summary: Figures) -> float:
    """Seconds from the command to the checkpoint of the last round: the final table comes after."""
    trained = (folder / "checkpoints" / "last").lstat().st_mtime
    return seconds - ((folder / "summary.json").stat().st_mtime - trained)


def profile(repeats: int, runs: Path) -> Figures:
    """Where each second of the default run goes, and what the physics alone would take."""
    cost, summary, rounds = train(runs / "default", "env=bipedal", "beta=linear", *walker_expert())
    parts = ("collect", "label", "fit", "validate")
    spent = {part: round(sum(r.get(f"time/{part}", 0.0) for r in rounds), 2) for part in parts}
    table = _final_table(runs / "default", cost.seconds)
    rest = cost.seconds - sum(spent.values()) - table
    return {
        "seconds": round(cost.seconds, 1),
        "peak_mib": round(cost.peak_mib),
        **spent,
        "final table (Gymnasium)": round(table, 1),
        "start-up, checkpoints, the rest": round(rest, 1),
        "student": [round(summary["student"]["mean"], 1), summary["student"]["failures"]],
    }


def _final_table(folder: Path, seconds: float) -> float:
    return seconds - _until_trained(folder, seconds, {})


def _spread(values: list[float]) -> Figures:
    return {
        "best": round(min(values), 3),
        "median": round(float(np.median(values)), 3),
        "worst": round(max(values), 3),
    }


PARTS: dict[str, Callable[[int, Path], Figures]] = {
    "startup": startup,
    "collection": collection,
    "fit": fit,
    "growth": growth,
    "reference": reference,
    "profile": profile,
}
