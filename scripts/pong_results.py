"""Measures students of pixels that expert=pong_ram teaches Pong: docs/worlds.md, docs/pong.json.

    python scripts/pong_results.py [seeds=0,1,2] [trainers=sup,dagger] [out=docs/pong.json]
                                   [runs=outputs/pong]     # runs what is missing, writes `out`
    python scripts/pong_results.py show                    # prints the tables

The runs are `dagger train experiment=pong trainer=... seed=... rounds=...`; unfinished ones are
resumed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

ROOT = Path(__file__).resolve().parents[1]
SHOWN = (0, 1, 2, 3, 7, 11, 15)  # rounds in the table, from 0
ROUNDS = {"sup": 8, "dagger": 16}  # of 4,000 labels
DEFAULTS = {
    "seeds": "0,1,2",
    "trainers": ",".join(ROUNDS),
    "out": str(ROOT / "docs" / "pong.json"),
    "runs": "outputs/pong",
}


def one(folder: Path, trainer: str, seed: int) -> dict[str, Any]:
    """Returns validation returns by labels, and the final scores of student and expert."""
    words = [f"trainer={trainer}", f"seed={seed}", f"rounds={ROUNDS[trainer]}"]
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
    """Returns the table in Markdown: a row per trainer."""
    labels = max((one["labels"] for one in runs), key=len)
    rows = [row for row in SHOWN if row < len(labels)]
    heads = ["trainer", *(f"{labels[row]:,}" for row in rows)]
    heads += ["final", "lowest", "seeds", "minutes"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for trainer in dict.fromkeys(one["trainer"] for one in runs):
        own = [one for one in runs if one["trainer"] == trainer]
        returns = np.mean([one["returns"] for one in own], axis=0)
        cells = [f"{returns[row]:.1f}" if row < len(returns) else "" for row in rows]
        finals = [one["student"]["mean"] for one in own]
        cells.append(f"{np.mean(finals):.1f}" + _spread(finals))
        cells.append(f"{min(one['student']['min'] for one in own):.0f}")
        cells += [str(len(own)), f"{np.mean([one['seconds'] for one in own]) / 60:.0f}"]
        lines.append(f"| {' | '.join([trainer, *cells])} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""


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
