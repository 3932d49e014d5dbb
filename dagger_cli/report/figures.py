"""Figures of a report: curves, final shares and performance profiles, one line per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.report.blocks import Figure
from dagger_cli.report.figure_style import INK, color, dashes, saved
from dagger_cli.report.statistics import Estimate

ONE_PANEL = 6  # groups that are legible in one panel
_GRID, _COARSE = 60, 24  # points of a line at most; of one in the background


@dataclass(frozen=True)
class Line:
    """The seeds of a group: one pair of x and y per run."""

    name: str
    seeds: tuple[tuple[Array, Array], ...]


def curves(
    name: str, caption: str, lines: Sequence[Line], axes: tuple[str, str], *, expert: float
) -> Figure:
    """Draws mean, band of one standard deviation, and each seed thin; dashed the expert.

    Above `ONE_PANEL` groups each has a panel of its own, with the means of the others in grey.
    `expert` is nan where there is no line to draw, or several.
    """
    wide = len(lines) > ONE_PANEL
    figure, panels = _panels(len(lines) if wide else 1)
    for i, panel in enumerate(panels):
        shown = [i] if wide else range(len(lines))
        if np.isfinite(expert):
            panel.axhline(expert, color=INK, ls="--", lw=0.8)
        others = [_middle(line, _COARSE) for j, line in enumerate(lines) if j not in shown]
        behind = _as_one([(middle[0], middle[1]) for middle in others if middle is not None])
        panel.plot(*behind, color="#8a929b", lw=0.5, alpha=0.5)
        for j in shown:
            _draw(panel, lines[j], j)
        if wide:
            panel.set_title(_short(lines[i].name, 34), fontsize=8)
            panel.locator_params(nbins=4)
        _thousands(panel, axes[0])
    if not wide:
        if np.isfinite(expert) and expert != 0:
            _share_axis(panels[0], expert)
        _legend(figure, panels[0], [line.name for line in lines])
    figure.supxlabel(axes[0], fontsize=9)
    figure.supylabel(axes[1], fontsize=9)
    return Figure(name, caption, *saved(figure, name), wide=wide)


def intervals(name: str, caption: str, estimates: Sequence[tuple[str, Estimate]]) -> Figure:
    """Draws an estimate with its interval per group."""
    figure, (panel,) = _panels(1, height=0.9 + 0.28 * len(estimates))
    for i, (_, estimate) in enumerate(estimates):
        y = len(estimates) - 1 - i
        if estimate.interval is not None:
            panel.plot(estimate.interval, (y, y), color=color(i), lw=5, alpha=0.45)
        panel.plot([estimate.value], [y], "|", color=color(i), ms=12, mew=2.5)
    panel.set_yticks(range(len(estimates)), [_short(n) for n, _ in reversed(estimates)])
    panel.set_ylim(-0.6, len(estimates) - 0.4)
    figure.supxlabel("share of the expert, interquartile mean", fontsize=9)
    return Figure(name, caption, *saved(figure, name))


def profiles(
    name: str, caption: str, bands: Sequence[tuple[str, tuple[Array, Array, Array]]], taus: Array
) -> Figure:
    """Draws the fraction of runs above each share of the expert's return."""
    figure, (panel,) = _panels(1, height=2.8 + 0.09 * len(bands))
    for i, (_, (above, low, high)) in enumerate(bands):
        panel.plot(taus, above, color=color(i), ls=dashes(i), lw=1.6, drawstyle="steps-post")
        if len(bands) <= ONE_PANEL:
            panel.fill_between(taus, low, high, color=color(i), alpha=0.15, lw=0, step="post")
    panel.set_ylim(-0.03, 1.03)
    _legend(figure, panel, [group for group, _ in bands])
    figure.supxlabel("share of the expert t", fontsize=9)
    figure.supylabel("fraction of runs above t", fontsize=9)
    return Figure(name, caption, *saved(figure, name))


def _panels(n: int, height: float = 3.1) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure as Drawing

    columns = 1 if n == 1 else 4
    rows = -(-n // columns)
    if n == 1:
        figure = Drawing(figsize=(4.6, height), layout="constrained")
    else:  # a computed layout of many panels takes seconds
        tall = 0.7 + 1.7 * rows
        figure = Drawing(figsize=(9.6, tall))
        figure.subplots_adjust(0.08, 0.5 / tall, 0.985, 1 - 0.25 / tall, wspace=0.1, hspace=0.3)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for panel in panels[n:]:
        panel.set_visible(False)
    for panel in panels[max(0, n - columns) : n]:
        panel.tick_params(labelbottom=True)  # the lowest visible one of its column
    return figure, panels[:n]


def _draw(panel: Any, line: Line, index: int) -> None:
    seeds = _as_one([_thinned(x, y) for x, y in line.seeds])
    mark = "." if any(len(x) == 1 for x, _ in line.seeds) else ""
    panel.plot(*seeds, marker=mark, ms=3, color=color(index), lw=0.5, alpha=0.45)
    middle = _middle(line, _GRID)
    if middle is None:
        return
    x, mean, deviation = middle
    mark = "o" if len(x) == 1 else ""  # a line of one point is invisible
    panel.plot(x, mean, marker=mark, color=color(index), ls=dashes(index), lw=1.7)
    if len(line.seeds) > 1:
        low, high = mean - deviation, mean + deviation
        panel.fill_between(x, low, high, color=color(index), alpha=0.15, lw=0)


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    """Returns at most `_GRID` points of a line."""
    some = np.unique(np.linspace(0, max(len(x) - 1, 0), _GRID).round().astype(int))[: len(x)]
    return x[some], y[some]


def _as_one(lines: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Returns several lines as one with gaps, which takes a fraction of the space in an SVG."""
    gap = np.array([np.nan])
    x = [part for line in lines for part in (line[0], gap)]
    y = [part for line in lines for part in (line[1], gap)]
    return np.concatenate([gap, *x]), np.concatenate([gap, *y])


def _middle(line: Line, most: int) -> tuple[Array, Array, Array] | None:
    """Returns x, mean and standard deviation over the range that all seeds have."""
    seeds = [(x, y) for x, y in line.seeds if len(x)]
    if not seeds:
        return None
    first, last = max(x[0] for x, _ in seeds), min(x[-1] for x, _ in seeds)
    inside = np.unique(np.concatenate([x for x, _ in seeds]))
    inside = inside[(inside >= first) & (inside <= last)]
    if len(inside) == 0:
        return None
    grid = inside if len(inside) <= most else np.linspace(first, last, most)
    values = np.stack([np.interp(grid, x, y) for x, y in seeds])
    spread = values.std(0, ddof=1) if len(seeds) > 1 else np.zeros(len(grid))
    return grid, values.mean(0), spread


def _share_axis(panel: Any, expert: float) -> None:
    """Adds the share of the expert's return at the right."""
    size = abs(expert)
    right = panel.secondary_yaxis(
        "right",
        functions=(lambda y: 1 - (expert - y) / size, lambda share: expert - (1 - share) * size),
    )
    right.set_ylabel("share of the expert")
    right.tick_params(labelsize=8)


def _legend(figure: Any, panel: Any, names: Sequence[str]) -> None:
    if len(names) < 2:
        return
    handles = [
        panel.plot([], [], color=color(i), ls=dashes(i), lw=1.7)[0] for i in range(len(names))
    ]
    columns = 2 if len(names) < 20 else 3
    figure.legend(
        handles,
        [_short(name) for name in names],
        loc="outside upper center",
        ncols=1 if max(map(len, names)) > 28 else columns,
        fontsize=8,
    )


def _thousands(panel: Any, label: str) -> None:
    panel.tick_params(labelsize=8)
    if label.startswith("labels"):
        panel.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}")


def _short(name: str, longest: int = 48) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
