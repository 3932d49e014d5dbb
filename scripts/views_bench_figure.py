"""The figure of scripts/views_bench_results.py: return against labels, a panel per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = 3
TICKS = (1000, 2000, 4000, 8000, 16_000, 32_000, 64_000)  # labels
COLOURS = {
    "sup": "tab:gray",
    "dagger, linear": "tab:cyan",
    "dagger, exponential": "tab:blue",
    "dagger, indicator": "tab:purple",
    "dart": "tab:olive",
    "ensemble_dagger": "tab:orange",
    "hg_dagger": "tab:green",
}
T95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t, by the number of seeds


def draw(groups: Mapping[tuple[str, str], Sequence[dict[str, Any]]], path: Path) -> None:
    """Draws means over seeds, with their 95 % intervals, and the expert's return."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tasks = list(dict.fromkeys(task for task, _ in groups))
    rows = -(-len(tasks) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 2.9 * rows), squeeze=False)
    for axis, task in zip(axes.flat, tasks, strict=False):
        for (of, trainer), runs in groups.items():
            if of == task:
                _line(axis, trainer, runs)
        axis.axhline(next(r["expert"] for (of, _), rs in groups.items() for r in rs if of == task),
                     color="black", lw=0.8, ls="--")  # fmt: skip
        axis.set_ylim(*_range([runs for (of, _), runs in groups.items() if of == task]))
        axis.set_xlabel("labels", fontsize=7)
        axis.set_title(task.replace("_", " "), fontsize=9)
        axis.set_xscale("log")
        axis.set_xticks(TICKS, [f"{n // 1000}k" for n in TICKS])
        axis.minorticks_off()
        axis.tick_params(labelsize=7)
    for axis in axes.flat[len(tasks) :]:
        axis.axis("off")
    handles = {h.get_label(): h for axis in axes.flat for h in axis.get_lines()[:-1]}
    names = [name for name in COLOURS if name in handles]
    figure.legend([handles[n] for n in names], names, loc="lower center", fontsize=8, ncols=7)
    figure.tight_layout(rect=(0, 0.03, 1, 1))  # the legend is below
    figure.savefig(path, dpi=90)


def _range(groups: Sequence[Sequence[dict[str, Any]]]) -> tuple[float, float]:
    """Returns limits around means and expert: with two seeds an interval can be far wider."""
    means = [np.mean([run["returns"][: _rounds(runs)] for run in runs], 0) for runs in groups]
    shown = np.concatenate([*means, [runs[0]["expert"] for runs in groups]])
    low, high = float(shown.min()), float(shown.max())
    margin = 0.1 * (high - low)
    return low - margin, high + margin


def _rounds(runs: Sequence[dict[str, Any]]) -> int:
    return min(len(run["returns"]) for run in runs)


def _line(axis: Any, trainer: str, runs: Sequence[dict[str, Any]]) -> None:
    """Draws a trainer's mean by rounds, at the mean number of labels."""
    length = _rounds(runs)
    labels = np.mean([run["labels"][:length] for run in runs], 0)
    returns = np.array([run["returns"][:length] for run in runs])
    mean, colour = returns.mean(0), COLOURS[trainer]
    axis.plot(labels, mean, color=colour, lw=1.3, label=trainer)
    if len(runs) > 1:
        half = T95[len(runs)] * returns.std(0, ddof=1) / np.sqrt(len(runs))
        axis.fill_between(labels, mean - half, mean + half, color=colour, alpha=0.15, lw=0)
