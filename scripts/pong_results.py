"""Measures students of pixels that expert=pong_ram teaches Pong: docs/worlds.md, docs/pong.json.

    python scripts/pong_results.py [seeds=0,1,2] [trainers=sup,dagger] [out=docs/pong.json]
                                   [runs=outputs/pong]     # runs what is missing, writes `out`
    python scripts/pong_results.py show                    # prints the tables

The runs are `dagger train experiment=pong trainer=... seed=...`; unfinished ones are
resumed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runs import run

ROOT = Path(__file__).resolve().parents[1]
SHOWN = (0, 1, 2, 3, 7, 11, 15)  # rounds in the table, from 0
TRAINERS = ("sup", "dagger")
DEFAULTS = {
    "seeds": "0,1,2",
    "trainers": ",".join(TRAINERS),
    "out": str(ROOT / "docs" / "pong.json"),
    "runs": "outputs/pong",
}


def one(folder: Path, trainer: str, seed: int) -> dict[str, Any]:
    """Returns validation returns by labels, and the final scores of student and expert."""
    words = [f"trainer={trainer}", f"seed={seed}"]
    scores = run(folder, ["experiment=pong", *words])
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {
        "trainer": trainer,
        "seed": seed,
        "labels": [row["train/labels"] for row in rows],
        "returns": [round(row["eval/return_mean"], 2) for row in rows],
        "student": scores["student"],
        "expert": scores["expert"],
        "seconds": round(sum(row["time/total"] for row in rows)),  # also of a resumed run
    }


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Returns the table in Markdown: a row per run."""
    labels = max((one["labels"] for one in runs), key=len)
    rows = [row for row in SHOWN if row < len(labels)]
    heads = ["trainer", "seed", *(f"{labels[row]:,}" for row in rows), "final", "lowest", "minutes"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for one_run in sorted(runs, key=lambda r: (TRAINERS.index(r["trainer"]), r["seed"])):
        returns, student = one_run["returns"], one_run["student"]
        cells = [f"{returns[row]:.1f}" if row < len(returns) else "" for row in rows]
        cells += [
            f"{student['mean']:.1f}",
            f"{student['min']:.0f}",
            f"{one_run['seconds'] / 60:.0f}",
        ]
        words = [one_run["trainer"], str(one_run["seed"]), *cells]
        lines.append(f"| {' | '.join(words)} |")
    return "\n".join(lines)


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words if word != "show")
    if set(given) != set(DEFAULTS):
        print(__doc__)
        return 2
    out = Path(given["out"])
    if "show" not in words:
        found = [
            one(Path(given["runs"]) / f"{trainer}_seed{seed}", trainer, seed)
            for seed in map(int, given["seeds"].split(","))
            for trainer in given["trainers"].split(",")
        ]
        out.write_text(json.dumps({"runs": found}, indent=1) + "\n")
    runs = json.loads(out.read_text())["runs"]
    expert = runs[0]["expert"]
    print(table(runs))
    print(f"expert {expert['mean']:.1f}, lowest {expert['min']:.0f}, {expert['episodes']} episodes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
