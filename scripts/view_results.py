"""Measures the tables of docs/views.md: students that see less than their expert.

    python scripts/view_results.py              # runs what is missing, writes docs/views.json
    python scripts/view_results.py envs=cartpole seeds=0 [out=docs/views.json] [runs=outputs/views]
    python scripts/view_results.py rows=3       # that row of the tables alone, from 0
    python scripts/view_results.py show         # prints the tables

Unfinished runs are resumed. A cell of a table is the mean over training seeds, with the standard
deviation between them in the JSON.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

from dagger_cli.loop.regret import HIDDEN_GAP, ONLINE_GAP

ROOT = Path(__file__).resolve().parents[1]
DEFAULTS = {
    "envs": "cartpole,pendulum",
    "seeds": "0,1,2",
    "rows": "",
    "out": str(ROOT / "docs" / "views.json"),
    "runs": "outputs/views",
}
HIDDEN = {  # no velocities
    "cartpole": "view=keys view.keep=[0,2]",
    "pendulum": "view=keys view.keep=[0,1]",
}
# Name of a row: the words of its runs, `hidden` for the view without velocities.
ROWS = {
    "everything": "",
    "no velocities": "{hidden}",
    "no velocities, policy=window": "{hidden} policy=window",
    "no velocities, policy=gru_window": "{hidden} policy=gru_window",
    "no velocities, policy=gru": "{hidden} policy=gru",
    "view=delay": "view=delay",
    "view=delay, policy=window": "view=delay policy=window",
    "view=delay, policy=window view.stack_actions=true": (
        "view=delay policy=window view.stack_actions=true"
    ),
}
TRAINERS = ("sup", "dagger")


def measured(folder: Path, words: list[str]) -> dict[str, Any]:
    """Returns the scores of a run, and the disagreements that its last round measured."""
    scores = run(folder, words)
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    return {**scores, **{name: last.get(name) for name in (ONLINE_GAP, HIDDEN_GAP)}}


def figures(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the mean over seeds of what was measured, and the spread of the return."""
    means = [one["student"]["mean"] for one in found]
    result = {"return": float(np.mean(means)), "between_seeds": float(np.std(means, ddof=1))}
    if len(means) == 1:
        result["between_seeds"] = 0.0
    for name in (ONLINE_GAP, HIDDEN_GAP):
        values = [one[name] for one in found if one[name] is not None]
        result[name] = float(np.mean(values)) if values else None
    return {**result, "seeds": len(found), "expert": found[0]["expert"]["mean"]}


def table(env: str, rows: dict[str, Any]) -> str:
    """Returns the table of one environment, in Markdown."""
    expert = rows["everything"]["dagger"]["expert"]
    lines = [
        f"{env}, expert {expert:,.1f}",
        "",
        "| the student sees | sup | dagger | it differs by | hidden, at least |",
        "|---|---|---|---|---|",
    ]
    for name, cells in rows.items():
        returns = [f"{c['return']:,.1f} ± {c['between_seeds']:,.1f}" for c in cells.values()]
        gaps = [cells["dagger"][key] for key in (ONLINE_GAP, HIDDEN_GAP)]
        shown = ["" if gap is None else f"{gap:.1%}" for gap in gaps]
        lines.append(f"| {' | '.join([name, *returns, *shown])} |")
    return "\n".join(lines)


def main(words: list[str]) -> None:
    """Runs the command line of the module's docstring."""
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words if word != "show")
    if set(given) - set(DEFAULTS):
        sys.exit(__doc__)
    out, seeds = Path(given["out"]), given["seeds"].split(",")
    names = list(ROWS)
    rows = [names[int(i)] for i in given["rows"].split(",") if i] or names
    if "show" not in words:
        jobs = [
            (env, row, trainer, seed)
            for env in given["envs"].split(",")
            for row in rows
            for trainer in TRAINERS
            for seed in seeds
        ]

        def done(job: tuple[str, str, str, str]) -> dict[str, Any]:
            env, row, trainer, seed = job
            chosen = ROWS[row].format(hidden=HIDDEN[env]).split()
            common = [f"env={env}", "expert=bundled", f"trainer={trainer}", f"seed={seed}"]
            place = "_".join([str(names.index(row)), trainer, seed])
            wanted = [*common, "validation.episodes=20", *chosen]
            return measured(Path(given["runs"]) / env / place, wanted)

        with ThreadPoolExecutor(2) as pool:
            results = dict(zip(jobs, pool.map(done, jobs), strict=True))
        known = json.loads(out.read_text()) if out.exists() else {}
        page = dict(known)
        for env in given["envs"].split(","):
            found = {
                row: {t: figures([results[env, row, t, s] for s in seeds]) for t in TRAINERS}
                for row in rows
            }
            page[env] = {
                row: cells for row in ROWS if (cells := (page.get(env, {}) | found).get(row))
            }
        out.write_text(json.dumps(page, indent=1) + "\n")
    page = json.loads(out.read_text())
    print("\n\n".join(table(env, rows) for env, rows in page.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
