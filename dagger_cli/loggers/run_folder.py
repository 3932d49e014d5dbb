"""The loggers of every run: the console, metrics.jsonl and TensorBoard's event files."""

from __future__ import annotations

import sys

from dagger_cli.loggers.interface import RunInfo, RunResult
from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import MetricsFile, read_points
from dagger_cli.tracking.run_paths import METRICS, TENSORBOARD
from dagger_cli.tracking.tensorboard import TensorBoard
from dagger_cli.utils.curve import CURVE_TITLE, Point
from dagger_cli.utils.curve_png import curve_png


class ConsoleLogger:
    """Chooses the console; `dagger train` itself prints (see console.py)."""

    def log(self, finished: Round) -> None:
        """Does nothing: a round is printed once its checkpoint is written."""


class JsonlLogger:
    """Writes metrics.jsonl in the run folder; as reports read it, a full disk ends the run."""

    required = True

    def start(self, run: RunInfo) -> None:
        """Opens the file; removes lines of rounds that will be repeated.

        Warns where lines of earlier rounds are missing.
        """
        self._file = MetricsFile(run.folder / METRICS, round=run.round)
        if self._file.missing:
            rounds = ", ".join(map(str, self._file.missing[:5]))
            more = ", ..." if len(self._file.missing) > 5 else ""
            print(
                f"warning: {run.folder / METRICS} has no readable line for round {rounds}{more}: "
                "reports will lack these rounds; the policy and its data are not affected",
                file=sys.stderr,
            )

    def log(self, finished: Round) -> None:
        """Appends a line."""
        self._file(finished)


class TensorBoardLogger:
    """Writes event files in tb/ in the run folder; a full disk ends the run."""

    required = True

    def start(self, run: RunInfo) -> None:
        """Opens the event file and records the config."""
        self._chosen = run.chosen
        self._points = read_points(run.folder / METRICS, run.round)  # of the rounds before
        self._board = TensorBoard(run.folder / TENSORBOARD, round=run.round, labels=run.labels)
        self._board.start(run.config_text)

    def log(self, finished: Round) -> None:
        """Writes the round's scalars."""
        self._board(finished)
        if finished.score is not None:
            score, labels = finished.score, finished.state.usage.labels
            self._points.append(Point(labels, score.mean, score.std))

    def finish(self, result: RunResult) -> None:
        """Writes the HPARAMS entry, the final scores, the curve and the student as a GIF."""
        self._board.finish(self._chosen, result.scalars)
        if self._points:
            expert = None if result.expert is None else result.expert.mean
            self._board.image("curve", curve_png(self._points, CURVE_TITLE, expert))
        if result.gif is not None:
            self._board.image("student", result.gif.read_bytes())

    def close(self) -> None:
        """Closes the event file."""
        if hasattr(self, "_board"):
            self._board.close()
