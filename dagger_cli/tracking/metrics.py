"""The metrics of a round, and metrics.jsonl with one line per round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.types import Score
from dagger_cli.loop.run import Round
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.curve import Point
from dagger_cli.utils.files import append_line, plain, read_bytes, write_text

MAX_BYTES = 2**28  # of metrics.jsonl; a line has about a thousand
_NO_TIME = {"collect": 0.0, "label": 0.0, "fit": 0.0, "validate": 0.0}


def scalars(finished: Round) -> dict[str, float]:
    """Returns all metrics of a round under their names in TensorBoard; `time/*` in seconds."""
    state = finished.state
    seconds = _NO_TIME | dict(finished.seconds)
    return {
        **state.metrics,
        "train/labels": state.usage.labels,
        "train/env_steps": state.usage.env_steps,
        **({} if finished.score is None else _scored(finished.score)),
        **{f"time/{name}": value for name, value in seconds.items()},
        "time/total": sum(seconds.values()),
    }


def _scored(score: Score) -> dict[str, float]:
    return {
        "eval/return_mean": score.mean,
        "eval/return_std": score.std,
        "eval/return_per_step": score.per_step,
        "eval/episode_length": float(score.lengths.mean()),
        "eval/failures": score.failures / len(score.failed),
    }


class MetricsFile:
    """Observer that appends one line of JSON per round; nan and inf are written as null.

    `round` is the number of finished rounds: lines of later ones, and lines left incomplete by an
    interruption, are dropped. `missing` are the finished rounds without a line.
    """

    def __init__(self, path: Path, *, round: int) -> None:
        self._path = path
        lines = _lines_up_to(path, round)
        self.missing = sorted({*range(1, round + 1)} - {_round_of(line) for line in lines})
        with writing(path):
            write_text(path, "".join(line + "\n" for line in lines))

    def __call__(self, finished: Round) -> None:
        """Appends one round."""
        values = {"round": finished.state.round, **scalars(finished)}
        with writing(self._path):
            append_line(self._path, json.dumps(plain(values), allow_nan=False))


def points_in(text: bytes, rounds: int) -> list[Point]:
    """Returns the points of the rounds up to this one; unreadable lines are left out."""
    points = []
    for line in text.decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
            numbers = (row["train/labels"], row["eval/return_mean"], row["eval/return_std"])
            if row["round"] <= rounds and None not in numbers:
                points.append(Point(int(numbers[0]), float(numbers[1]), float(numbers[2])))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return points


def read_points(path: Path, rounds: int) -> list[Point]:
    """Returns the points in the file, none where it cannot be read; see `points_in`."""
    if rounds == 0 or not path.exists():
        return []
    try:
        return points_in(read_bytes(path, MAX_BYTES), rounds)
    except OSError:
        return []


def _lines_up_to(path: Path, round: int) -> list[str]:
    if round == 0 or not path.exists():
        return []
    try:
        lines = read_bytes(path, MAX_BYTES).decode(errors="replace").splitlines()
    except OSError as err:
        raise CheckpointError(f"{path} cannot be read ({err.strerror}): move it away") from err
    return [line for line in lines if 1 <= _round_of(line) <= round]


def _round_of(line: str) -> int:
    """Returns the round of a line; 0 where it cannot be read."""
    try:
        values: Any = json.loads(line)
        return int(values["round"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0
