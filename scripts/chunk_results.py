"""Measures the tables of docs/chunks.md: students that predict chunks of actions.

    python scripts/chunk_results.py               # runs what is missing, writes docs/chunks.json
    python scripts/chunk_results.py envs=pendulum seeds=0 [out=here.json] [runs=outputs/chunks]
    python scripts/chunk_results.py show          # prints the tables

Unfinished runs are resumed. A cell of a table is the mean over training seeds, with the standard
deviation between them in the JSON.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

ROOT = Path(__file__).resolve().parents[1]
DEFAULTS = {
    "envs": "pendulum,bipedal",
    "seeds": "0,1,2",
    "out": str(ROOT / "docs" / "chunks.json"),
    "runs": "outputs/chunks",
}
COMMON = (
    "expert=bundled gif=false regret=false validation.queries=0 evaluation.episodes=20 "
    "env.workers=0"
)
BUDGETS = {
    "pendulum": "rounds=5 steps_per_round=1000 policy.gradient_steps=500 validation.episodes=3",
    "bipedal": "rounds=4 steps_per_round=1000 policy.gradient_steps=500 validation.episodes=2",
}
# Name of a row: the words of its runs.
ROWS = {
    "everything": "",
    "everything, chunk=4": "policy.chunk=4",
    "everything, chunk=8": "policy.chunk=8",
    "noise": "view.noise=0.05",
    "noise, chunk=4": "view.noise=0.05 policy.chunk=4",
    "noise, chunk=8": "view.noise=0.05 policy.chunk=8",
    "everything, chunk=8, chunk_decay=-0.01": "policy.chunk=8 policy.chunk_decay=-0.01",
}
TRAINERS = ("sup", "dagger")
Job = tuple[str, str, str, str]  # environment, seed, row, trainer


def words_of(job: Job) -> list[str]:
    """Returns the words of a run; the expert, which is the same in all, is scored in one."""
    env, seed, row, trainer = job
    once = (row, trainer, seed) == ("everything", "sup", "0")
    words = f"env={env} trainer={trainer} seed={seed} {COMMON} {BUDGETS[env]} {ROWS[row]}".split()
    return words if once else [*words, "evaluation.expert=false"]


def figures(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the mean return over seeds, and its spread."""
    means = [one["student"]["mean"] for one in found]
    spread = float(np.std(means, ddof=1)) if len(means) > 1 else 0.0
    return {"return": float(np.mean(means)), "between_seeds": spread, "seeds": len(means)}


def table(env: str, page: dict[str, Any]) -> str:
    """Returns the table of one environment, in Markdown."""
    lines = [f"{env}, expert {page['expert']:,.1f}", ""]
    lines += ["| the student sees, and predicts | sup | dagger |", "|---|---|---|"]
    for name, cells in page["rows"].items():
        returns = [f"{c['return']:,.1f} ± {c['between_seeds']:,.1f}" for c in cells.values()]
        lines.append(f"| {' | '.join([name, *returns])} |")
    return "\n".join(lines)


def measured_page(env: str, seeds: list[str], runs: Path) -> dict[str, Any]:
    """Returns the figures of one environment."""
    found = {}
    for job in product([env], seeds, ROWS, TRAINERS):
        place = "_".join([str(list(ROWS).index(job[2])), job[3], job[1]])
        found[job] = run(runs / env / place, words_of(job))
    rows = {
        row: {t: figures([found[env, s, row, t] for s in seeds]) for t in TRAINERS} for row in ROWS
    }
    return {"expert": found[env, "0", "everything", "sup"]["expert"]["mean"], "rows": rows}


def main(words: list[str]) -> None:
    """Runs the command line of the module's docstring."""
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words if word != "show")
    if set(given) - set(DEFAULTS):
        sys.exit(__doc__)
    out = Path(given["out"])
    page = json.loads(out.read_text()) if out.exists() else {}
    for env in given["envs"].split(",") if "show" not in words else ():
        page[env] = measured_page(env, given["seeds"].split(","), Path(given["runs"]))
        out.write_text(json.dumps(page, indent=1) + "\n")
    print("\n\n".join(table(env, found) for env, found in page.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
