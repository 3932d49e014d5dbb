"""The sections of docs/benchmarks.md on collecting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def collection_lines(figures: Any) -> Iterator[str]:
    yield "Env steps per second of a DAgger round (expert and student act, the expert labels), over"
    yield "the same actions in the bare backend with as many environments. Target: 0.8."
    yield ""
    yield "| backend | ours | bare | ratio, median | range |"
    yield "|---|---|---|---|---|"
    for name, line in figures.items():
        ours, bare = (f"{max(line[key]):,}" for key in ("ours_per_second", "bare_per_second"))
        low, high = line["ratio_range"]
        yield f"| {name} | {ours} | {bare} | {line['ratio_median']:.2f} | {low:.2f} to {high:.2f} |"


def ways_lines(figures: Any) -> Iterator[str]:
    yield "The smallest loop that acts, `python scripts/bench/ways.py n_envs=N`: steps per second"
    yield "over the bare backend's in the same episodes with the same actions, median and range. In"
    yield "turns: all slots act, then all step, as in `dagger train`. Halves: half of them act"
    yield "while the other half steps. A process a core: each acts for its share of the slots, with"
    yield "a pool of one thread."
    yield ""
    names = list(next(iter(figures.values()))["ratios"])
    yield "| environments | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for n_envs, line in figures.items():
        ratios = line["ratios"].values()
        cells = [f"{mid:.2f} ({low:.2f} to {high:.2f})" for mid, low, high in ratios]
        yield f"| {n_envs} | " + " | ".join(cells) + " |"
    yield ""
    yield "`dagger train` collects at about the rate of the loop in turns (above): what it does"
    yield "besides acting costs little. A process a core is the fastest and is not built: products"
    yield "for a share of the rows can differ in the last bit from those for all rows, so results"
    yield "would depend on the number of cores; and each process would load torch, which takes"
    yield "longer than all collecting of the default run."
