"""Measures docs/classic.md: DAgger and Sup with their defaults on the other environments.

    python scripts/classic_results.py [seeds=3] [out=docs] [runs=outputs/classic]

Prints a table of returns over 100 test seeds: of the bundled expert, of the learners (mean over
training seeds, and the worst one), and the worst one as a fraction of the expert's return; for
negative returns the fraction is expert / learner, so that 95 % means "about 5 % worse" either way.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

ENVS = (
    "cartpole",
    "lunarlander",
    "lunarlander_continuous",
    "pendulum",
    "acrobot",
    "mountaincar",
    "mountaincar_continuous",
)
DEFAULTS = {"seeds": "3", "out": "docs", "runs": "outputs/classic"}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    if set(given) - set(DEFAULTS):
        print(__doc__)
        return 2
    result: dict[str, Any] = {}
    for env in ENVS:
        for trainer in ("sup", "dagger"):
            for seed in range(int(given["seeds"])):
                folder = Path(given["runs"]) / f"{env}_{trainer}_{seed}"
                words = [f"env={env}", "expert=bundled", f"trainer={trainer}", f"seed={seed}"]
                result.setdefault(env, {}).setdefault(trainer, []).append(run(folder, words))
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    (out / "classic.json").write_text(json.dumps(result, indent=1) + "\n")
    print(table(result))
    return 0


def table(result: dict[str, Any]) -> str:
    head = "| env | labels | expert | sup | worst | kept | dagger | worst | kept | seconds |"
    lines = [head, "|" + "---|" * 10]
    for env, trainers in result.items():
        first = trainers["dagger"][0]
        expert = first["expert"]["mean"]
        cells = [env, f"{first['labels']:,}", f"{expert:.1f} ± {first['expert']['std']:.1f}"]
        for trainer in ("sup", "dagger"):
            means = [r["student"]["mean"] for r in trainers[trainer]]
            cells += [
                f"{np.mean(means):.1f}",
                f"{min(means):.1f}",
                f"{kept(min(means), expert):.1%}",
            ]
        cells.append(f"{np.mean([r['seconds'] for r in trainers['dagger']]):.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def kept(student: float, expert: float) -> float:
    return student / expert if expert > 0 else expert / student


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
