"""Measures the results on BipedalWalker in docs/walker.md, with the command `dagger`.

    python scripts/walker_results.py [seeds=5] [curve=3] [expert=bundled] [out=docs]
                                     [runs=outputs/walker]

1. The default run with `seeds` training seeds: learner and expert on the same 100 test seeds.
2. Return against labels for Sup and DAgger: separate runs with 1k to 16k labels, `curve` training
   seeds each (0: no curve), evaluated on 50 of those test seeds.
Existing runs are not repeated. Any option of the group expert can be given; for an agent in a
folder: expert=path path=FOLDER name=a2c.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import run

LABELS = (1000, 2000, 4000, 8000, 16_000)
DEFAULTS = {"seeds": "5", "curve": "3", "expert": "bundled", "path": "", "name": "", "out": "docs"}
DEFAULTS["runs"] = "outputs/walker"


def main(words: Sequence[str]) -> int:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    if set(given) - set(DEFAULTS):
        print(__doc__)
        return 2
    name, seeds = given["name"] or given["expert"], range(int(given["seeds"]))
    expert = ["env=bipedal", f"expert={given['expert']}"]
    expert += [f"expert.path={given['path']}"] if given["path"] else []
    runs = Path(given["runs"]) / name
    default = [run(runs / f"default_{s}", [*expert, f"seed={s}"]) for s in seeds]
    curves = {
        trainer: {
            labels: [
                run(
                    runs / f"{trainer}_{labels}_{s}",
                    [
                        *(*expert, f"trainer={trainer}", f"labels={labels}", f"seed={s}"),
                        "evaluation.episodes=50",
                    ],
                )
                for s in range(int(given["curve"]))
            ]
            for labels in LABELS
        }
        for trainer in ("sup", "dagger")
    }
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    result = {"expert": name, "default": default, "curves": curves}
    (out / f"walker_{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(table(result, curve=int(given["curve"]) > 0))
    if int(given["curve"]) > 0:
        draw(result, out / f"walker_{name}.png")
    return 0


def table(result: dict[str, Any], *, curve: bool) -> str:
    lines = ["| seed | expert | falls | student | falls | labels | seconds |", "|" + "---|" * 7]
    for seed, r in enumerate(result["default"]):
        e, s = r["expert"], r["student"]
        lines.append(
            f"| {seed} | {e['mean']:.1f} ± {e['std']:.1f} | {e['failures']} "
            f"| {s['mean']:.1f} ± {s['std']:.1f} | {s['failures']} "
            f"| {r['labels']:,} | {r['seconds']:.0f} |"
        )
    if curve:
        lines += ["", "| labels | sup | falls of 50 | dagger | falls of 50 |", "|" + "---|" * 5]
    for labels in LABELS if curve else ():
        cells = [cell(result["curves"][trainer][labels]) for trainer in ("sup", "dagger")]
        lines.append(f"| {labels:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(runs: list[dict[str, Any]]) -> str:
    """Returns mean and spread over seeds of the mean return, and falls per run."""
    means = [r["student"]["mean"] for r in runs]
    falls = [r["student"]["failures"] for r in runs]
    return f"{np.mean(means):.1f} ± {np.std(means):.1f} | {np.mean(falls):.1f}"


def draw(result: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.4), dpi=150)
    expert = np.mean([r["expert"]["mean"] for r in result["default"]])
    axes.axhline(expert, color="0.4", ls="--", lw=1, label="expert")
    for trainer, colour in (("dagger", "#1f6feb"), ("sup", "#d1242f")):
        runs = result["curves"][trainer].values()
        means = np.array([[r["student"]["mean"] for r in rs] for rs in runs])
        axes.fill_between(LABELS, means.min(1), means.max(1), color=colour, alpha=0.15, lw=0)
        axes.plot(LABELS, means.mean(1), "o-", color=colour, lw=1.5, ms=4, label=trainer)
    axes.set_xscale("log")
    axes.set_xticks(LABELS, [f"{n // 1000}k" for n in LABELS])
    axes.minorticks_off()
    axes.set_xlabel("labels (expert queries)")
    axes.set_ylabel("return over 50 unseen seeds")
    axes.set_title("BipedalWalker-v3: mean and range over seeds", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
