"""Writes docs/views_bench.json, docs/views_map.md and .png; prints a table of docs/views.md.

    python scripts/views_bench_results.py [runs=outputs/bench/views] [out=docs/views_bench.json]
    python scripts/views_bench_results.py runs=          (the page and the figure of that file)

Reads the runs of `dagger bench views`; several folders are separated by commas. Runs that the file
has of before stay in it, but those of the same task, trainer and seed. A run's labels and returns
are its validation by rounds; DAgger's name has its schedule. A task's folder may have `_betas` at
its end: the same words with other schedules.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from views_bench_figure import COLOURS, draw

ROOT = Path(__file__).resolve().parents[1]
LABELS = (4000, 16_000)
EARLY = 50  # steps: the first ones of an episode
SHARES = (0.8, 0.95)  # of the expert's return
BETAS = "_betas"
Run = dict[str, Any]
HEAD = """# Where interaction pays: all runs

Trainers on robots that show everything, or no velocities, to students without and with memory, on a
walker among obstacles, on a kart seen by its camera and on Pong seen by its pictures. What follows
from it is in
[views](views.md#where-interaction-pays).
Made by

    dagger bench views
    python scripts/views_bench_results.py

and, for the schedules that are not an option's default, by the words of the task with another
`beta` and `hydra.sweep.dir=outputs/bench/views/<task>_betas`. The settings of each task are in
conf/bench/views.yaml; all trainers of a task have the same network, fits and env steps
(EnsembleDAgger five such networks).

![Return against labels](views_map.png)

Means over training seeds, with their 95 % intervals; the dashed line is the expert.
"""
RESULTS = """## Returns

Validation returns after so many labels, and the final ones (20 unseen episodes; 50 laps, and 50 of
the walker) ± the standard deviation over training seeds. *window*: the last four observations
(`policy=window`). Of the kart the return is minus the number of falls per lap, of Pong the points
by which a game is won. Of Pong's Sup with seeds 0 and 1 and DAgger with seeds 1 and 2 the returns
alone were kept; Sup with seed 1 ended at 32,000 labels.
"""
CAUSES = """## Labels needed, and what the runs measured

The median of the labels at which the validation return first has so much of the expert's (where
not all seeds get there: how many). *In the first 50 steps*: the share of the labels in the first
50 steps of an episode; *median step*: half of the labels are in earlier steps of their episode.
*It differs by* is `disagreement/own`, the distance of the last student from the expert in its own
validation states, and *hidden, at least* `disagreement/irreducible`, what no student with this
view can learn in the states of the [aggregate](glossary.md), where a view is set.
"""


def runs_in(folder: Path) -> list[Run]:
    """Returns the finished runs: task, trainer, seed, returns by labels, final scores, states."""
    return [
        _run(path.parent)
        for path in sorted(folder.glob("*/*_seed[0-9]/summary.json"))
        if (path.parent / "metrics.jsonl").exists()
    ]


def _run(folder: Path) -> Run:
    _, trainer, seed = folder.name.replace("_seed", " ").replace("_", " ", 1).split(" ")
    if trainer == "dagger":
        trainer += f", {_schedule(folder)}"
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    steps = _steps(folder)
    return {
        "task": folder.parent.name.removesuffix(BETAS),
        "trainer": trainer,
        "seed": int(seed),
        "labels": [row["train/labels"] for row in rows],
        "returns": [round(row["eval/return_mean"], 2) for row in rows],
        "final": round(summary["student"]["mean"], 2),
        "expert": round(summary["expert"]["mean"], 2),
        "early": round(float((steps < EARLY).mean()), 3),
        "median_step": float(np.median(steps)),
        "own": rows[-1].get("disagreement/own"),
        "hindsight": rows[-1].get("disagreement/hindsight"),
        "hidden": rows[-1].get("disagreement/irreducible"),
    }


def _schedule(folder: Path) -> str:
    from omegaconf import OmegaConf

    target = OmegaConf.load(folder / "config.yaml").beta_schedule._target_
    return str(target.rpartition(".")[2].lower())


def _steps(folder: Path) -> Any:
    """Returns how many steps of its episode were before each labelled row, (N,)."""
    from safetensors import safe_open

    found = []
    for path in sorted((folder / "checkpoints" / "aggregate").glob("round_*.safetensors")):
        with safe_open(path, "np") as file:
            found.append(file.get_tensor("steps"))
    return np.concatenate(found)


def groups(runs: Sequence[Run]) -> dict[tuple[str, str], list[Run]]:
    """Returns the runs of each task and trainer, tasks together."""
    found: dict[tuple[str, str], list[Run]] = {}
    for task in dict.fromkeys(run["task"] for run in runs):
        for run in runs:
            if run["task"] == task:
                found.setdefault((task, run["trainer"]), []).append(run)
    return found


def finals(runs: Sequence[Run]) -> str:
    """Returns the final returns, a line per task, for docs/views.md."""
    found = groups(runs)
    trainers = [name for name in COLOURS if any(name == trainer for _, trainer in found)]
    rows = []
    for task in dict.fromkeys(task for task, _ in found):
        cells = [[run["final"] for run in found.get((task, name), [])] for name in trainers]
        expert = next(run["expert"] for run in runs if run["task"] == task)
        rows.append([_words(task), f"{expert:,.0f}", *(_cell(c) if c else "" for c in cells)])
    return _markdown(["task", "expert", *trainers], rows)


def results(runs: Sequence[Run]) -> str:
    """Returns the table of returns in Markdown."""
    heads = ["task", "trainer", "labels", *(f"at {n:,}" for n in LABELS), "final", "of the expert"]
    rows = []
    for (task, trainer), own in groups(runs).items():
        labels = f"{np.mean([run['labels'][-1] for run in own]):,.0f}"
        at = [_cell([_at(run, n) for run in own]) for n in LABELS]
        final, expert = [run["final"] for run in own], own[0]["expert"]
        share = f"{np.mean(final) / expert:.0%} of {expert:,.0f}" if expert else "0"
        rows.append([_words(task), trainer, labels, *at, _cell(final), share])
    return _markdown(heads, rows)


def causes(runs: Sequence[Run]) -> str:
    """Returns the table of the labels needed, and of what the runs measured, in Markdown."""
    heads = ["task", "trainer", *(f"labels to {share:.0%}" for share in SHARES)]
    heads += [f"in the first {EARLY} steps", "median step", "it differs by", "hidden, at least"]
    rows = []
    for (task, trainer), own in groups(runs).items():
        needed = [_needed(own, share) for share in SHARES]
        early, step = (
            np.mean([run[key] for run in own if run[key] is not None])
            for key in ("early", "median_step")
        )
        gaps = [_percent([run[key] for run in own]) for key in ("own", "hidden")]
        rows.append([_words(task), trainer, *needed, f"{early:.0%}", f"{step:,.0f}", *gaps])
    return _markdown(heads, rows)


def _at(run: Run, labels: int) -> float | None:
    """Returns the return after the last round with at most so many labels."""
    if run["labels"][-1] < labels:
        return None
    return float(run["returns"][int(np.searchsorted(run["labels"], labels, "right")) - 1])


def _needed(runs: Sequence[Run], share: float) -> str:
    """Returns the median of the labels, and how many runs get there where not all do."""
    expert = runs[0]["expert"]
    if not expert:
        return ""
    firsts = [
        next((n for n, x in zip(r["labels"], r["returns"], strict=True) if x >= share * expert), 0)
        for r in runs
    ]
    reached = [n for n in firsts if n]
    if 2 * len(reached) <= len(runs):
        return f"{len(reached)} of {len(runs)}"
    median = np.median([n or np.inf for n in firsts])
    return f"{median:,.0f}" + ("" if all(firsts) else f" ({len(reached)} of {len(runs)})")


def _cell(values: Sequence[float | None]) -> str:
    """Returns mean and deviation between seeds; nothing where a run has no value."""
    known = [x for x in values if x is not None]
    if len(known) < len(values):
        return ""
    mean, std = np.mean(known), np.std(known, ddof=1) if len(known) > 1 else 0.0
    digits = 0 if abs(mean) >= 20 else 2
    return f"{mean:,.{digits}f} ± {std:,.{digits}f}"


def _percent(values: Sequence[float | None]) -> str:
    known = [x for x in values if x is not None]
    return f"{np.mean(known):.1%}" if known else ""


def _words(task: str) -> str:
    return task.replace("_", ", ", 1).replace("_", ", ")


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace("| --- ", "|---")


def page(runs: Sequence[Run]) -> str:
    """Returns docs/views_map.md."""
    return "\n".join([HEAD, RESULTS, results(runs), "", CAUSES, causes(runs), ""])


def main() -> None:
    given = dict(word.split("=", 1) for word in sys.argv[1:])
    out = Path(given.get("out", ROOT / "docs" / "views_bench.json"))
    folders = given.get("runs", "outputs/bench/views")
    if folders:
        had = json.loads(out.read_text("utf-8"))["runs"] if out.exists() else []
        new = [run for folder in folders.split(",") for run in runs_in(Path(folder))]
        by_key = {(run["task"], run["trainer"], run["seed"]): run for run in [*had, *new]}
        runs = [by_key[key] for key in sorted(by_key)]
        out.write_text(json.dumps({"runs": runs}, indent=None).replace("}, {", "},\n{") + "\n")
    runs = json.loads(out.read_text("utf-8"))["runs"]
    out.with_name("views_map.md").write_text(page(runs), "utf-8")
    print(finals(runs))
    draw(groups(runs), out.with_name("views_map.png"))


if __name__ == "__main__":
    main()
