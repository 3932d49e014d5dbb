"""Plot of return against labels, for both libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = {"dagger": "#1f6feb", "imitation": "#d1242f"}


def draw(figures: dict[str, Any], path: Path) -> None:
    """Draws one point per run, and a line through the means; does nothing without measurements."""
    if "few" not in figures:
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    chart, axes = plt.subplots(figsize=(6.4, 3.4), dpi=150)
    axes.axhline(figures["expert"]["return"], color="0.4", ls="--", lw=1, label="expert")
    for name, colour in COLOURS.items():
        groups = [[pair[name] for pair in pairs] for pairs in figures["few"].values()]
        means = [
            [sum(r[key] for r in rs) / len(rs) for rs in groups] for key in ("labels", "return")
        ]
        axes.plot(*means, "-", color=colour, lw=1.5, label=name)
        runs = [run for group in groups for run in group]
        axes.plot([r["labels"] for r in runs], [r["return"] for r in runs], "o", color=colour, ms=4)
    axes.set_xscale("log")
    marks = [int(labels) for labels in figures["few"]]
    axes.set_xticks(marks, [f"{n // 1000}k" for n in marks])
    axes.minorticks_off()
    axes.set_xlabel("labels (expert queries)")
    axes.set_ylabel("return over 100 unseen seeds")
    axes.set_title("BipedalWalker: dagger-cli and imitation 1.0.1, a dot per run", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    chart.tight_layout()
    chart.savefig(path)
    plt.close(chart)
