"""Labels and seconds to 95 and 98 % of the expert, read from the runs of `dagger bench`.

    dagger bench                                          # 275 runs, in outputs/bench/all
    python scripts/bench/run.py only=quality [runs=outputs/bench]

Counts up to the first round whose validation return has the share of the expert's return, over the
runs of a trainer and task that differ in the seed. The expert's return is that of the final table,
as in `dagger report`. Seconds are the runs' own wall clocks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dagger_cli.core.types import Array
from dagger_cli.report.find import runs_below
from dagger_cli.report.groups import Group, Measured, sections
from dagger_cli.report.measures import share
from dagger_cli.report.run_record import RunRecord, read_run

SHARES = (0.95, 0.98)
COUNTED = ("collect", "label", "fit")  # phases of a round that training needs


def quality(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns medians over the seeds by task, trainer and share; no run is started."""
    folder = runs / "all"
    if not folder.is_dir():
        return {"skipped": "there are no runs of `dagger bench` in outputs/bench/all."}
    records = [read_run(run) for run in runs_below([folder])]
    found = sections(records)
    return {
        "started": sorted({_day(path) for path in folder.glob("*/sweep.yaml")}),
        "versions": sorted({", ".join(run.versions) for run in records}),
        "runs": len(records),
        "budgets": {s.env: int(s.records[0].settings["labels"]) for s in found},
        "tasks": {s.env: {g.name: _of_group(g) for g in s.groups} for s in found},
        "slowest_over_fastest": {s.env: _slowest_over_fastest(s.groups) for s in found},
    }


def _of_group(group: Group) -> dict[str, Any]:
    best = [share(one.curve.returns, one.expert).max() for one in group.runs]
    reached = {str(part): _reached(group, part) for part in SHARES}
    return {"runs": len(group.runs), "best_share": _median(best), **reached}


def _reached(group: Group, part: float) -> dict[str, Any]:
    """Returns the number of runs, and medians in which a run that never reached it is infinite."""
    labels, training, rounds = np.array([_until(one, part) for one in group.runs]).T
    return {
        "runs": int(np.isfinite(labels).sum()),
        "labels": _median(labels),
        "seconds": _median(training),
        "seconds_with_validation": _median(rounds),
    }


def _until(one: Measured, part: float) -> tuple[float, float, float]:
    """Returns labels, seconds of COUNTED and seconds of whole rounds until it is reached."""
    aim = one.expert - (1 - part) * abs(one.expert)
    there = np.flatnonzero(one.curve.returns >= aim)
    if not len(there):
        return np.inf, np.inf, np.inf
    first = there[0]
    return one.curve.labels[first], _training(one.run)[first], one.curve.seconds[first]


def _training(run: RunRecord) -> Array:
    """Returns the seconds of COUNTED up to each round of the run's curve."""
    phases = [np.nan_to_num(run.column(f"time/{name}")) for name in COUNTED]
    validated = np.isfinite(run.column("eval/return_mean") + run.column("train/labels"))
    return np.asarray(np.cumsum(np.sum(phases, axis=0))[validated])


def _median(values: Any) -> float | None:
    middle = float(np.median(values))
    return round(middle, 3) if np.isfinite(middle) else None


def _slowest_over_fastest(groups: tuple[Group, ...]) -> float | None:
    """Returns the ratio of the fits' seconds of runs that differ in the seed, median of trainers.

    Their work is about the same: a ratio far above 1 says that the machine was not idle.
    """
    fits = [[float(np.nansum(r.run.column("time/fit"))) for r in g.runs] for g in groups]
    return _median([max(seconds) / min(seconds) for seconds in fits if min(seconds) > 0])


def _day(path: Path) -> str:
    """Returns the day on which a sweep was started."""
    return str(yaml.safe_load(path.read_text())["started"])[:10]
