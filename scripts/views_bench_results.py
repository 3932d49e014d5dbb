"""Writes docs/views_bench.json and prints its table, from the runs of `dagger bench views`.

    python scripts/views_bench_results.py [runs=outputs/bench/views] [out=docs/views_bench.json]

A cell is the mean over training seeds of the validation return after so many labels, or of the
final return, with the standard deviation between seeds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
LABELS = (4000, 8000, 16000, 32000)
COMMAND = "dagger bench views trainers=sup,dagger"


def runs_in(folder: Path) -> list[dict[str, Any]]:
    """Returns the finished runs: task, trainer, seed, returns by labels, final scores."""
    found = []
    for path in sorted(folder.glob("*/*_seed[0-9]/summary.json")):
        _, trainer, seed = path.parent.name.replace("_seed", " ").replace("_", " ", 1).split(" ")
        summary = json.loads(path.read_text("utf-8"))
        lines = (path.parent / "metrics.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        found.append(
            {
                "task": path.parent.parent.name,
                "trainer": trainer,
                "seed": int(seed),
                "labels": [row["train/labels"] for row in rows],
                "returns": [round(row["eval/return_mean"], 1) for row in rows],
                "final": round(summary["student"]["mean"], 1),
                "expert": round(summary["expert"]["mean"], 1),
            }
        )
    return found


def cell(values: list[float]) -> str:
    """Returns mean and deviation between seeds."""
    return f"{np.mean(values):,.0f} ± {np.std(values, ddof=1):,.0f}"


def table(runs: list[dict[str, Any]]) -> str:
    """Returns the table in Markdown."""
    heads = [f"{labels:,}" for labels in LABELS]
    lines = ["| task | trainer | " + " | ".join(heads) + " | final | of the expert |"]
    lines.append("|---" * (len(LABELS) + 4) + "|")
    for task, trainer in dict.fromkeys((run["task"], run["trainer"]) for run in runs):
        own = [run for run in runs if (run["task"], run["trainer"]) == (task, trainer)]
        at = [
            cell([run["returns"][run["labels"].index(labels)] for run in own])
            if all(labels in run["labels"] for run in own)
            else ""
            for labels in LABELS
        ]
        final = [run["final"] for run in own]
        share = f"{np.mean(final) / own[0]['expert']:.0%} of {own[0]['expert']:,.0f}"
        name = task.replace("_", ", ", 1).replace("_", ", ")
        lines.append(f"| {name} | {trainer} | {' | '.join(at)} | {cell(final)} | {share} |")
    return "\n".join(lines)


def main() -> None:
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    runs = runs_in(Path(given.get("runs", "outputs/bench/views")))
    out = Path(given.get("out", ROOT / "docs" / "views_bench.json"))
    value = {"command": COMMAND, "seeds": sorted({run["seed"] for run in runs}), "runs": runs}
    out.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
    print(table(runs))


if __name__ == "__main__":
    main()
