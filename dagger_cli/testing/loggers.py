"""Checks of loggers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.state import State
from dagger_cli.core.types import Score, Usage
from dagger_cli.loggers.interface import RunInfo, RunResult
from dagger_cli.loop.run import Best, Round
from dagger_cli.testing.track import TableExpert

CONFIG = {"env": {"name": "track"}, "trainer": {"name": "dagger"}, "seed": 0}


def check_logger(logger: Any) -> None:
    """Checks a logger on a run of two rounds, with and without scores, and on a resumed run.

    Raises the logger's own error; in a run the logger would not be called after it.
    """
    with tempfile.TemporaryDirectory() as folder:
        for done in (0, 1):
            run = RunInfo(Path(folder), CONFIG, "seed: 0\n", done, 100 * done)
            _call(logger, "start", run)
            for round in range(done + 1, 3):
                logger.log(_round(round, scored=round > 1))
            _call(logger, "finish", RunResult(_score(), _score(), 2, Usage(200, 200), 1.5))
            _call(logger, "close")


def _call(logger: Any, method: str, *arguments: Any) -> None:
    if hasattr(logger, method):
        getattr(logger, method)(*arguments)


def _score() -> Score:
    n = np.arange(3)
    return Score(n, n.astype(np.float64), n + 10, n > 1)


def _round(round: int, *, scored: bool) -> Round:
    metrics = {"train/loss": 0.5, "train/beta": float("nan")}
    state = State(round, TableExpert(), None, Usage(100 * round, 100 * round), metrics)
    score = _score() if scored else None
    return Round(state, TableExpert(), score, Best(round, 1.0, 1.0), {"fit": 0.1})
