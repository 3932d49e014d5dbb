"""Large runs: whether a round costs the same however many came before, in time and in files.

Also a script, for runs that are started one by one: `growth.py RUN out=FILE.json [runs=FOLDER]`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jobs import machine, options
from measure import HERE, took

BRIEF = ("validation.episodes=1", "evaluation.episodes=1", "gif=false", "env.workers=0")
PHASES = ("collect", "label", "fit", "regret", "validate", "round")


class Run(NamedTuple):
    """Words of a run, and the bytes of a row of its aggregate as arrays."""

    words: tuple[str, ...]
    row: int


RUNS = {
    "walker, 1,000,000 labels": Run(
        ("env=bipedal", "expert=bundled", "n_envs=32", "rounds=100", "steps_per_round=10000"),
        24 * 4 + 8 + 4 * 4,
    ),
    "cartpole, 10,000,000 labels": Run(
        ("env=cartpole", "expert=bundled", "n_envs=256", "rounds=100", "steps_per_round=100000"),
        4 * 4 + 8 + 8,
    ),
    "images, 1,000,000 labels": Run(
        (
            *("env=gym", "env.id=Moving-v0", "env.imports=moving", "n_envs=64", "policy=cnn"),
            *("expert=python", "expert.target=moving:expert", "expert.batched=true"),
            *("rounds=40", "steps_per_round=25000", "policy.gradient_steps=10", "policy.threads=1"),
            # The expert acts and no loss is measured: forward passes would take most of the time.
            *("trainer=sup", "regret=false"),
        ),
        4 * 84 * 84 + 8 + 8,
    ),
}


def growth_large(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns what each of the large runs took; they are not repeated."""
    return {name: measured(name, runs / "growth_large") for name in RUNS}


def measured(name: str, folder: Path, code: Path = HERE.parents[1]) -> dict[str, Any]:
    """Runs one of the large runs; returns its cost as a whole, of early and of late rounds."""
    run = RUNS[name]
    shutil.rmtree(folder, ignore_errors=True)
    path = f"PYTHONPATH={HERE}:{code}"
    command = [sys.executable, str(HERE / "growth_cpu.py"), "train", *run.words, *BRIEF]
    cost = took(["env", path, *command, f"hydra.run.dir={folder}"])
    rounds = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    labels = int(json.loads((folder / "summary.json").read_text())["spent"]["labels"])
    shards = sorted((folder / "checkpoints" / "aggregate").iterdir())
    last = folder / "checkpoints" / "last"
    figures = {
        "labels": labels,
        "seconds": round(cost.seconds),
        "cpu_seconds": round(cost.cpu_seconds),
        "peak_mib": round(cost.peak_mib),
        "aggregate_as_arrays_mib": round(labels * run.row / 2**20),
        "files_mib": round(_size(folder) / 2**20),
        "early_s": _by_phase(rounds[1 : 1 + len(rounds) // 10]),
        "late_s": _by_phase(rounds[-(len(rounds) // 10) :]),
        "shard_kib": [round(shards[i].stat().st_size / 2**10) for i in (1, -1)],
        "checkpoint_kib": round(_size(last) / 2**10),
        "manifest_kib": round((last / "checkpoint.json").stat().st_size / 2**10),
    }
    shutil.rmtree(folder)
    return figures


def _by_phase(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Returns the median processor seconds of each phase."""
    return {
        phase: round(float(np.median([one.get(f"time/{phase}", 0.0) for one in rounds])), 3)
        for phase in PHASES
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.resolve().rglob("*") if path.is_file())


def main(words: list[str]) -> None:
    given = options(words, run="", out="", runs="outputs/bench", code=str(HERE.parents[1]))
    name = next(name for name in RUNS if name.startswith(given["run"]))
    folder = Path(given["runs"]).resolve() / name.partition(",")[0]
    figures = {name: {**measured(name, folder, Path(given["code"])), "machine": machine()}}
    Path(given["out"]).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
