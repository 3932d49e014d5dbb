"""Measures the results on the paper's figure in docs/mario.md, with the command `dagger`.

    python scripts/mario_results.py [seeds=0,1,2] [methods=sup,dagger_05,...] [starts=small,large]
                                    [ticks=1,2] [out=docs] [runs=outputs/mario]

Twenty rounds of 5,000 labels per method and seed, started with fire; then Sup and DAgger 0.5 for
each of `starts`, and for each number of `ticks` per action. The curves are on 100 validation stages
per round (no policy is selected on them; the last round counts), the tables on 200 evaluation
stages. Existing runs are not repeated, so each call can make one. Prints the table and the minutes
of all runs, and writes mario.json and mario.png to `out`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

METHODS = {
    "sup": ("Sup", ["trainer=sup"]),
    "dagger_indicator": ("DAgger indicator", ["beta=indicator"]),
    "dagger_05": ("DAgger 0.5", ["beta.p=0.5"]),
    "dagger_09": ("DAgger 0.9", ["beta.p=0.9"]),
    "searn_1": ("SEARN 1", ["trainer=searn", "trainer.beta=1.0"]),
    "searn_04": ("SEARN 0.4", ["trainer=searn", "trainer.beta=0.4"]),
    "smile_01": ("SMILe 0.1", ["trainer=smile", "trainer.alpha=0.1"]),
}
IN_THE_PAPER = {"dagger_05": 3030, "dagger_indicator": 2980}  # px, Ross, Gordon & Bagnell 2011
COLOURS = ("#d1242f", "#1f6feb", "#0a3069", "#54aeff", "#8250df", "#bf3989", "#1a7f37")
VARIED = ("sup", "dagger_05")
DEFAULTS = {
    "seeds": "0,1,2",
    "methods": ",".join(METHODS),
    "starts": "small,large",
    "ticks": "1,2",
    "out": "docs",
    "runs": "outputs/mario",
}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    methods = given["methods"].split(",")
    if set(given) - set(DEFAULTS) or set(methods) - set(METHODS):
        print(__doc__)
        return 2
    seeds = [int(seed) for seed in given["seeds"].split(",")]
    rows = [(name, METHODS[name][0], METHODS[name][1]) for name in methods]
    rows += varied("started", "env.start_mode", given["starts"])
    rows += varied("ticks per action", "env.ticks_per_action", given["ticks"])
    found: dict[str, Any] = {}
    for seed in seeds:  # the outer loop, so that every row has the seeds that are done
        for name, title, words in rows:
            entry = found.setdefault(name, {"title": title, "runs": []})
            entry["runs"].append(one(Path(given["runs"]) / f"{name}_{seed}", words, seed))
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    (out / "mario.json").write_text(json.dumps({"seeds": seeds, "rows": found}) + "\n")
    print(table(found))
    seconds = [run["seconds"] for entry in found.values() for run in entry["runs"]]
    print(f"{len(seconds)} runs, {sum(seconds) / 60:.0f} minutes in all")
    draw({name: found[name] for name in methods}, out / "mario.png")
    return 0


def varied(what: str, key: str, values: str) -> list[tuple[str, str, list[str]]]:
    """Returns rows of Sup and DAgger 0.5 that differ from the figure in one setting."""
    return [
        (f"{name}_{key.partition('.')[2]}_{value}", f"{METHODS[name][0]}, {what} {value}", words)
        for value in values.split(",")
        for name in VARIED
        for words in [[*METHODS[name][1], f"{key}={value}"]]
        if value
    ]


def one(folder: Path, words: list[str], seed: int) -> dict[str, Any]:
    """Returns labels and validation distance after every round, and the final test distance."""
    numbers = run(folder, ["experiment=mario_paper", *words, f"seed={seed}", "regret=false"])
    # The rows that a finished run was fitted on: a third of a gigabyte, and never read again.
    shutil.rmtree(folder / "checkpoints" / "aggregate", ignore_errors=True)
    rounds = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {
        "labels": [r["train/labels"] for r in rounds],
        "distance": [round(r["eval/return_mean"], 1) for r in rounds],
        "student": numbers["student"],
        "expert": numbers["expert"],
        "seconds": numbers["seconds"],
    }


def table(found: dict[str, Any]) -> str:
    columns = ("method", "distance, px", "completed, %", "seeds", "paper, px")
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name, entry in found.items():
        runs = entry["runs"]
        means = np.array([r["student"]["mean"] for r in runs])
        won = [1 - r["student"]["failures"] / r["student"]["episodes"] for r in runs]
        spread = f" ± {means.std(ddof=1):.0f}" if len(runs) > 1 else ""
        lines.append(
            f"| {entry['title']} | {means.mean():.0f}{spread} | {100 * np.mean(won):.1f} "
            f"| {len(runs)} | {IN_THE_PAPER.get(name, '')} |"
        )
    return "\n".join(lines)


def draw(found: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.6, 3.8), dpi=150)
    colours = dict(zip(METHODS, COLOURS, strict=True))
    for name, entry in found.items():
        curves = np.array([r["distance"] for r in entry["runs"]])
        labels = np.mean([r["labels"] for r in entry["runs"]], axis=0) / 1000
        axes.plot(labels, curves.mean(0), color=colours[name], lw=1.8, label=entry["title"])
        axes.plot(labels, curves.T, color=colours[name], lw=0.5, alpha=0.3)
    axes.set_xlabel("labels, thousands (20 rounds)")
    axes.set_ylabel("distance, px, 100 validation stages")
    n = len(next(iter(found.values()))["runs"])
    axes.set_title(
        f"Super Mario, started with fire, linear SVMs: mean of {n} seeds, thin: each", fontsize=10
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
