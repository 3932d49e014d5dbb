"""Measures the results on ten folds in docs/handwriting.md, with the command `dagger`.

    python scripts/handwriting_results.py [data=path] [folds=0,1,...,9] [methods=none,sup,...]
                                          [out=docs] [runs=outputs/handwriting]

Every method is trained on nine folds and tested on the tenth, ten times. The last round counts; no
policy is selected on test words, which are only used for the curves. Existing runs are not
repeated. Prints the table and writes handwriting.json and handwriting.png to `out`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

PAPER = ["experiment=handwriting_paper"]
BEST = ["experiment=handwriting_best"]
ALONE = [*BEST, "env.before=0", "env.after=0"]  # the paper's observation, but more history
METHODS = {
    "none": ("no structure", [*PAPER, "trainer=sup", "env.history=0"]),
    "sup": ("Sup", [*PAPER, "trainer=sup"]),
    "dagger": ("DAgger", PAPER),
    "searn_1": ("SEARN 1", [*PAPER, "trainer=searn", "trainer.beta=1.0"]),
    "searn_08": ("SEARN 0.8", [*PAPER, "trainer=searn", "trainer.beta=0.8"]),
    "searn_01": ("SEARN 0.1", [*PAPER, "trainer=searn", "trainer.beta=0.1"]),
    "smile_01": ("SMILe 0.1", [*PAPER, "trainer=smile", "trainer.alpha=0.1"]),
    "rest": ("DAgger, one-vs-rest", [*PAPER, "policy.reduction=one_vs_rest"]),
    "best_sup": ("best, Sup", [*BEST, "trainer=sup"]),
    "best_dagger": ("best, DAgger", BEST),
    "alone_sup": ("best without neighbours, Sup", [*ALONE, "trainer=sup"]),
    "alone_dagger": ("best without neighbours, DAgger", ALONE),
}
BEAM = {"sup", "dagger", "best_sup", "best_dagger", "alone_sup", "alone_dagger"}  # also by a beam
IN_THE_PAPER = {"none": 82.0, "sup": 83.6, "dagger": 85.5}  # Ross, Gordon & Bagnell 2011
CURVES = {
    "dagger": "#1f6feb",
    "searn_1": "#8250df",
    "searn_08": "#bf3989",
    "searn_01": "#d4a72c",
    "smile_01": "#1a7f37",
    "sup": "#d1242f",
    "none": "0.4",
}
DEFAULTS = {"data": "null", "folds": "0,1,2,3,4,5,6,7,8,9", "methods": ",".join(METHODS)}
DEFAULTS |= {"out": "docs", "runs": "outputs/handwriting"}


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    methods = given["methods"].split(",")
    if set(given) - set(DEFAULTS) or set(methods) - set(METHODS):
        print(__doc__)
        return 2
    folds = [int(fold) for fold in given["folds"].split(",")]
    found: dict[str, Any] = {name: [] for name in methods}
    for fold in folds:  # the outer loop, so that every method has the folds that are done
        for name in methods:
            found[name].append(
                one(Path(given["runs"]) / f"{name}_{fold}", name, fold, given["data"])
            )
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    result = {"folds": folds, "methods": found}
    (out / "handwriting.json").write_text(json.dumps(result) + "\n")
    print(table(found))
    draw(found, out / "handwriting.png")
    return 0


def one(folder: Path, name: str, fold: int, data: str) -> dict[str, Any]:
    """Returns letters and accuracy on all test words after every round, and the run's time."""
    words = [*METHODS[name][1], f"env.fold={fold}", f"env.data={data}"]
    words += ["env.validate_on_test=true", "regret=false"]
    numbers = run(folder, words)
    # The rows a finished run was fitted on: a quarter of a gigabyte each, and never read again.
    shutil.rmtree(folder / "checkpoints" / "aggregate", ignore_errors=True)
    rounds = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return {
        "letters": [r["train/labels"] for r in rounds],
        "accuracy": [round(r["eval/return_per_step"], 6) for r in rounds],
        "beam": by_beam(folder) if name in BEAM else None,
        "seconds": numbers["seconds"],
    }


def by_beam(folder: Path) -> float:
    """Returns the accuracy of the run's last policy with a beam of 10."""
    scores = folder / "beam.json"
    if not scores.exists():
        words = [f"checkpoint={folder}/last", "decode=beam", "width=10", f"json={scores}"]
        subprocess.run(["dagger", "eval", *words], check=True, stdout=subprocess.DEVNULL)
    read = json.loads(scores.read_text())
    return sum(read["returns"]) / sum(read["lengths"])


def table(found: dict[str, Any]) -> str:
    columns = ("method", "accuracy, %", "folds", "paper", "beam of 10, %")
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name, runs in found.items():
        last = 100 * np.array([r["accuracy"][-1] for r in runs])
        beam = f"{100 * np.mean([r['beam'] for r in runs]):.2f}" if name in BEAM else ""
        paper = IN_THE_PAPER.get(name, "")
        lines.append(
            f"| {METHODS[name][0]} | {last.mean():.2f} ± {last.std():.2f} "
            f"| {last.min():.1f} to {last.max():.1f} | {paper} | {beam} |"
        )
    return "\n".join(lines)


def draw(found: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.8), dpi=150)
    for name, colour in CURVES.items():
        if name in found:
            curves = 100 * np.array([r["accuracy"] for r in found[name]])
            letters = np.mean([r["letters"] for r in found[name]], axis=0) / 1000
            axes.plot(letters, curves.mean(0), color=colour, lw=1.5, label=METHODS[name][0])
    axes.set_xlabel("training letters, thousands (20 passes)")
    axes.set_ylabel("test accuracy, %")
    axes.set_title(f"Handwriting, linear SVM: mean of {len(next(iter(found.values())))} folds")
    axes.title.set_fontsize(10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.1))
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
