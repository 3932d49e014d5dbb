"""The ratios of each part of the benchmark, for the table that compares a run with the one before.

Each ratio is of two measurements of one run, so that it can be compared across runs and machines
better than seconds. `more` says whether a larger ratio is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np


class Ratio(NamedTuple):
    """A ratio with its name; `more`: a larger one is better."""

    name: str
    value: float
    more: bool


def ratios_of(part: str, figures: Any) -> list[Ratio]:
    """Returns the ratios of a part; none for a skipped part, and where a number is missing."""
    if part not in RATIOS or "skipped" in figures:
        return []
    return list(RATIOS[part](figures))


def _startup(figures: Any) -> Iterator[Ratio]:
    for name in ("dagger --help", "dagger train --cfg job"):
        yield Ratio(f"`{name}` / `python`", _over(figures[name], figures["python"]), False)
    job, torch = figures["dagger train --cfg job"], figures["import torch"]
    yield Ratio("`dagger train --cfg job` / `import torch`", _over(job, torch), False)
    first = figures["dagger train, to its first round"]
    yield Ratio("`dagger train` to its first round / `import torch`", _over(first, torch), False)


def _over(one: Any, other: Any) -> float:
    return float(one["median"] / other["median"])


def _collection(figures: Any) -> Iterator[Ratio]:
    for name, line in figures.items():
        yield Ratio(f"steps/s of {name} / bare", line["ratio_median"], True)


def _fit(figures: Any) -> Iterator[Ratio]:
    for line in figures["steps"]:
        name = f"gradient step / its products, layers {line['sizes']}, batch {line['batch']}"
        yield Ratio(name, line["ratio_median"], False)
    yield Ratio("members at once / one by one", figures["members"]["ratio_median"], False)


def _growth(figures: Any) -> Iterator[Ratio]:
    yield Ratio("seconds of 400,000 / 100,000 labels", figures["seconds_ratio"], False)
    memory = figures["memory_per_byte_of_aggregate"]
    yield Ratio("bytes of memory / byte of aggregate", memory, False)


def _growth_large(figures: Any) -> Iterator[Ratio]:
    for name, run in figures["runs"].items():
        rounds = run["late_s"]["round"] / run["early_s"]["round"]
        yield Ratio(f"late round / early round, {name}, CPU s", rounds, False)
    for name, row in figures["rows"].items():
        before, now = row["file_bytes"]
        yield Ratio(f"bytes in files, compact / array, {name}", now / before, False)


def _storage(figures: Any) -> Iterator[Ratio]:
    for name, ratios in figures["over_memory"].items():
        if ratios is not None:
            yield Ratio(f"{name} / memory, wall s", ratios[1], False)


def _reference(figures: Any) -> Iterator[Ratio]:
    times = figures["times_faster"]["cpu_seconds"]
    yield Ratio("the loop / `walker_100k`, CPU s", _median(times), True)


def _goal(figures: Any) -> Iterator[Ratio]:
    if figures["times_faster"] is not None:
        yield Ratio("the loop / `walker_fast`, s to 98 %", _median(figures["times_faster"]), True)


def _profile(figures: Any) -> Iterator[Ratio]:
    yield Ratio(
        "default run / its lower bound", figures["seconds"] / figures["limit"]["all"], False
    )
    seconds = figures["fresh_seconds"] / figures["seconds"]
    yield Ratio("default run, the expert plays, too / default run", seconds, False)


def _peers(figures: Any) -> Iterator[Ratio]:
    times = [pair["times_less_cpu"]["imitation, one thread"] for pair in figures["many"]]
    yield Ratio("imitation / `walker_100k`, CPU s", _median(times), True)


def _peers_mujoco(figures: Any) -> Iterator[Ratio]:
    for task, found in figures.items():
        for theirs, ours in METHODS.items():
            both = [pair for pair in found["pairs"] if theirs in pair and ours in pair]
            if both:
                times = [_cpu(pair[theirs]) / _cpu(pair[ours]) for pair in both]
                yield Ratio(f"{theirs} / `{ours}` on {task}, CPU s", _median(times), True)
                returns = [pair[ours]["return"] / pair[theirs]["return"] for pair in both]
                name = f"`{ours}` / {theirs} on {task}, return"
                yield Ratio(name, _median(returns), True)


METHODS = {
    "imitation bc, standardized": "dagger trainer=sup",
    "imitation dagger, standardized": "dagger trainer=dagger",
}


def _cpu(run: Any) -> float:
    return float(run["cpu_seconds"])


def _vw(figures: Any) -> Iterator[Ratio]:
    """Yields VW's CPU seconds / ours with all pairs of features, per fold or task.

    Of each program the run with the highest accuracy.
    """
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in figures["lines"][2:]]
    for place in dict.fromkeys(row[0] for row in rows):
        here = [row for row in rows if row[0] == place and "all pairs of features" in row[1]]
        sides = [[row for row in here if row[1].startswith(name)] for name in ("VW", "dagger")]
        if all(sides):
            vw, ours = (max(side, key=lambda row: float(row[2])) for side in sides)
            yield Ratio(f"VW / dagger on {place}, CPU s", float(vw[3]) / float(ours[3]), True)
            gain = (100 - float(vw[2])) / (100 - float(ours[2]))
            yield Ratio(f"VW / dagger on {place}, errors", gain, True)


def _mario(figures: Any) -> Iterator[Ratio]:
    rates = dict(line.rsplit(maxsplit=1) for line in figures["lines"] if "/s" in line)
    rate = {name.strip(): float(text.replace(",", "")) for name, text in rates.items()}
    ticks = rate["ticks/s, one core, 300 ticks per call"]
    for name in ("steps/s, one core, the paper's features", "labels/s, cores of this process"):
        yield Ratio(f"{name}, per million ticks/s", rate[name] / ticks * 1e6, True)


def _median(values: Any) -> float:
    return float(np.median(values))


RATIOS: dict[str, Callable[[Any], Iterator[Ratio]]] = {
    "startup": _startup,
    "collection": _collection,
    "fit": _fit,
    "growth": _growth,
    "growth_large": _growth_large,
    "storage": _storage,
    "reference": _reference,
    "goal": _goal,
    "profile": _profile,
    "peers": _peers,
    "peers_mujoco": _peers_mujoco,
    "handwriting": _vw,
    "sequences": _vw,
    "mario": _mario,
}
