"""Section of docs/benchmarks.md on the labels and seconds to a share of the expert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def quality_lines(figures: Any) -> Iterator[str]:
    tasks = figures["tasks"]
    yield (
        f"From the {figures['runs']} runs of `dagger bench` of {_joined(figures['started'])}"
        f" ({_joined(figures['versions'])}; settings: [the report](bench/report.md)), read by"
        " `python scripts/bench/run.py only=quality`: what a trainer had used up to"
        " the first round whose validation return had the share of the expert's return in the final"
        " table. A cell has the median labels, the median seconds, and the number of runs that"
        " reached it. Seconds are the wall clock of collecting, labelling and fitting; with"
        " validation: benchmarks.json. Runs that never reach it count as infinite, so a median"
        " needs 3 of 5; otherwise the cell has the number of runs, and the median over runs of the"
        " best share in brackets. Labels of a run at most:"
        f" {_joined(f'{name} {labels:,}' for name, labels in figures['budgets'].items())}."
    )
    yield ""
    ratios = figures["slowest_over_fastest"]
    yield (
        "The machine was not idle: seconds of the fits of runs that differ in the seed only, the"
        " slowest over the fastest, median over trainers: "
        f"{_joined(f'{name} {ratio:.1f}' for name, ratio in ratios.items() if ratio)}."
        " Labels do not depend on it."
    )
    for part, words in (("0.95", "95 %"), ("0.98", "98 %")):
        yield ""
        yield f"**{words} of the expert**"
        yield ""
        yield f"| trainer | {' | '.join(tasks)} |"
        yield "|---|" + "---|" * len(tasks)
        for trainer in _trainers(tasks):
            cells = (_cell(groups.get(trainer), part) for groups in tasks.values())
            yield f"| {trainer} | {' | '.join(cells)} |"


def _cell(group: Any, part: str) -> str:
    if group is None:
        return ""
    reached = group[part]
    if reached["labels"] is None:
        return f"{reached['runs']} of {group['runs']} ({group['best_share']:.2f})"
    spent = f"{reached['labels']:,.0f}, {reached['seconds']:.1f} s"
    return f"{spent}, {reached['runs']} of {group['runs']}"


def _trainers(tasks: Any) -> list[str]:
    return list(dict.fromkeys(name for groups in tasks.values() for name in groups))


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words)
