"""Measures the table of experiment=mario_best in docs/mario.md, with the command `dagger`.

    python scripts/mario_best_results.py [seeds=0,1,2] [difficulties=1,3] [rounds=40]
                                         [runs=outputs/mario_best]

One row per difficulty: 1000 evaluation stages per seed, started small. ± is the standard deviation
over seeds, for a single seed the standard error over its stages. Existing runs are not repeated.
Prints the table and the minutes of all runs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

DEFAULTS = {"seeds": "0,1,2", "difficulties": "1,3", "rounds": "40", "runs": "outputs/mario_best"}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    if set(given) != set(DEFAULTS):
        print(__doc__)
        return 2
    columns = (
        "difficulty",
        "rounds",
        "student, px",
        "completed, %",
        "seeds",
        "expert, px",
        "completed, %",
    )
    lines, seconds = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)], 0.0
    for difficulty in given["difficulties"].split(","):
        found = [
            one(Path(given["runs"]), difficulty, given["rounds"], seed)
            for seed in given["seeds"].split(",")
        ]
        lines.append(row(difficulty, given["rounds"], found))
        seconds += sum(numbers["seconds"] for numbers in found)
    print("\n".join(lines))
    print(f"{seconds / 60:.0f} minutes in all")
    return 0


def one(runs: Path, difficulty: str, rounds: str, seed: str) -> dict[str, Any]:
    """Returns the summary of one run."""
    folder = runs / f"difficulty_{difficulty}_{rounds}_{seed}"
    words = ["experiment=mario_best", f"env.difficulty={difficulty}", f"rounds={rounds}"]
    words += [f"seed={seed}"]
    numbers: dict[str, Any] = run(folder, words)
    # The rows that a finished run was fitted on: several gigabytes, and never read again.
    shutil.rmtree(folder / "checkpoints" / "aggregate", ignore_errors=True)
    return numbers


def row(difficulty: str, rounds: str, found: list[dict[str, Any]]) -> str:
    means = np.array([numbers["student"]["mean"] for numbers in found])
    first = found[0]["student"]
    spread = means.std(ddof=1) if len(means) > 1 else first["std"] / np.sqrt(first["episodes"])
    cells = [
        difficulty,
        rounds,
        f"{means.mean():.0f} ± {spread:.0f}",
        f"{completed(found, 'student'):.1f}",
    ]
    cells += [f"{len(found)}", f"{np.mean([n['expert']['mean'] for n in found]):.0f}"]
    cells += [f"{completed(found, 'expert'):.1f}"]
    return f"| {' | '.join(cells)} |"


def completed(found: list[dict[str, Any]], who: str) -> float:
    """Returns the percentage of completed stages."""
    return 100 * float(np.mean([1 - n[who]["failures"] / n[who]["episodes"] for n in found]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
