"""Validation returns of a run by round, as its metrics.jsonl has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagger_cli.tracking.metrics import MAX_BYTES
from dagger_cli.tracking.run_paths import METRICS
from dagger_cli.utils.files import read_bytes

RETURN, LABELS = "eval/return_mean", "train/labels"


def returns_of(run: Path) -> list[tuple[int, float]]:
    """Returns (round, mean return in validation); empty where nothing can be read."""
    return [(row["round"], row[RETURN]) for row in rows_of(run) if RETURN in row]


def curve_of(run: Path) -> list[tuple[int, float]]:
    """Returns (labels used, mean return in validation) by round."""
    return [(row[LABELS], row[RETURN]) for row in rows_of(run) if {RETURN, LABELS} <= {*row}]


def rows_of(run: Path) -> Iterator[dict[str, Any]]:
    """Yields the metrics of each round that can be read, with numbers only."""
    try:
        lines = read_bytes(run / METRICS, MAX_BYTES).splitlines()
    except OSError:
        return
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):  # the last line of a killed run
            continue
        if isinstance(row, dict) and type(row.get("round")) is int:
            yield {key: value for key, value in row.items() if type(value) in (int, float)}
