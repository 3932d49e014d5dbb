"""Measures what docs/sweeps.md says about sweeps, and writes docs/sweeps.json.

    python scripts/sweep_results.py [only=kills,joblib,search] [out=docs]

kills: a sweep of 60 jobs, killed twice with SIGKILL and resumed, against an uninterrupted one.
joblib: eight jobs, one by one and on all cores, twice in turn; the ratio of the times.
search: 20 trials of Optuna on cartpole, interrupted once and resumed, against the default; labels
to 95 % of the expert in validation, and again with seeds that the search has not seen.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

DAGGER = (sys.executable, "-m", "dagger_cli", "train", "-m")
TINY = (
    "env=cartpole", "expert=bundled", "env.max_episode_steps=60", "policy.sizes=[16]",
    "policy.gradient_steps=20", "rounds=6", "steps_per_round=100", "validation.episodes=3",
    "evaluation.episodes=4",
)  # fmt: skip
TIMED = ("env=cartpole", "expert=bundled", "env.workers=0", "rounds=8", "steps_per_round=2000")
SEARCHED = (
    "env=cartpole", "expert=bundled", "rounds=15", "steps_per_round=20", "validation.episodes=20",
    "evaluation.episodes=10", "evaluation.expert=false", "regret=false",
)  # fmt: skip
SPACE = (
    "policy.learning_rate=tag(log,interval(3e-4,1e-2))",
    "policy.gradient_steps=choice(250,500,1000,2000)",
    "policy.sizes=[64,64],[128,128],[256,256]",
    "policy.activation=relu,tanh",
    "beta_schedule.over=1,5,15",
)


def main(words: Sequence[str]) -> int:
    given = {"only": "kills,joblib,search", "out": "docs"} | dict(
        word.partition("=")[::2] for word in words
    )
    path = Path(given["out"]) / "sweeps.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given["only"].split(","):
            found[name] = {"kills": kills, "joblib": joblib, "search": search}[name](Path(folder))
            print(name, json.dumps(found[name], indent=2), flush=True)
            path.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def run(cwd: Path, *words: str) -> float:
    """Runs `dagger train -m`; returns the seconds it took."""
    begin = time.perf_counter()
    subprocess.run([*DAGGER, *words], cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "sweep.csv").open() as file:
        return [*csv.DictReader(file)]


def policies(sweep: Path) -> list[bytes]:
    """Returns the last policy of each run, in the order of their names."""
    files = sorted(sweep.glob("*/checkpoints/last/policy.safetensors"))
    return [file.read_bytes() for file in files]


def kills(folder: Path) -> dict[str, Any]:
    sweep = (*TINY, "trainer=sup,dagger,smile", "seed=range(0,20)")
    run(folder, *sweep, "hydra.sweep.dir=whole")
    words, after = [*sweep, "hydra.sweep.dir=cut"], []
    for jobs in (15, 40):
        process = subprocess.Popen(
            [*DAGGER, *words], cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL
        )
        while len([*folder.glob("cut/*/summary.json")]) < jobs and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        after.append(len([*folder.glob("cut/*/summary.json")]))
        words = ["resume=cut"]
    run(folder, "resume=cut")
    kept = ("job", "trainer", "seed", "status", "labels", "return", "std", "expert", "objective")
    tables = [[[row[k] for k in kept] for row in rows(folder / n)] for n in ("whole", "cut")]
    return {
        "finished when killed": after,
        "jobs": len(tables[1]),
        "finished": sum(row[3] == "finished" for row in tables[1]),
        "equal table": tables[0] == tables[1],
        "equal policies": policies(folder / "whole") == policies(folder / "cut"),
    }


def joblib(folder: Path) -> dict[str, Any]:
    sweep = (*TIMED, "seed=range(0,8)")
    seconds: dict[str, list[float]] = {"basic": [], "joblib": []}
    for repeat in range(2):
        for name, found in seconds.items():
            where = f"hydra.sweep.dir={name}{repeat}"
            found.append(round(run(folder, *sweep, f"hydra/launcher={name}", where), 1))
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    ratio = [round(one, 2) for one in ratios]
    return {
        "cores": os.cpu_count(),
        "seconds": seconds,
        "faster": ratio,
        "equal policies": policies(folder / "basic0") == policies(folder / "joblib0"),
    }


def search(folder: Path) -> dict[str, Any]:
    base = (*SEARCHED, "objective=labels_to_95")
    chosen = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=20", *SPACE)
    words = [*base, *chosen, "hydra.sweep.dir=search"]
    process = subprocess.Popen([*DAGGER, *words], cwd=folder, stdout=subprocess.DEVNULL)
    while len([*folder.glob("search/*/summary.json")]) < 8 and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.wait()
    before = len([*folder.glob("search/*/summary.json")])
    run(folder, "resume=search")
    best = min(
        (row for row in rows(folder / "search") if row["objective"]),
        key=lambda row: float(row["objective"]),
    )
    found = [f"{key}={best[key]}" for key in best if key.startswith(("policy.", "beta"))]
    results: dict[str, Any] = {"trials before": before, "trials": len(rows(folder / "search"))}
    results["best trial"] = {"words": found, "labels to 95 %": float(best["objective"])}
    for name, own in (("default", ()), ("found", found)):
        where = (f"hydra.sweep.dir={name}", "hydra/launcher=joblib")
        run(folder, *base, *own, "seed=range(100,110)", *where)
        labels = [float(row["objective"]) for row in rows(folder / name)]
        results[name] = {"labels to 95 %": labels, "mean": np.mean(labels).round(1)}
    shutil.rmtree(folder / "search")
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
