"""Console output of a run: settings, progress, results and the next commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dagger_cli.core.types import Score, Usage
from dagger_cli.loop.run import Round
from dagger_cli.tracking.summary import NO_WORDS, ExtraWords, commands
from dagger_cli.utils.terminal import printable

if TYPE_CHECKING:
    import rich.console
    from rich.progress import Progress


class Console:
    """Observer that shows a progress bar on a terminal and prints one line per round elsewhere.

    `rounds` is the length of the run, 0 if there are none; `failure_name` names a failed episode,
    as in "falls", or is None; `per_step_name` names the return per step where that is the usual
    metric, as in "accuracy". Output goes to `out`, by default stdout; `quiet` disables it.
    """

    def __init__(
        self,
        *,
        rounds: int = 0,
        failure_name: str | None = None,
        per_step_name: str | None = None,
        out: rich.console.Console | None = None,
        quiet: bool = False,
    ) -> None:
        from rich.console import Console as RichConsole

        # In a notebook plain text, as one output: Rich's own would be an HTML block for every line.
        self._out = out or RichConsole(quiet=quiet, force_jupyter=False)
        self._rounds, self._failure_name, self._per_step_name = rounds, failure_name, per_step_name
        self._plus_minus = "+-" if self._out.options.ascii_only else "±"
        self._begin = time.monotonic()
        self._first = 0  # rounds finished before this run was resumed
        self._bar: _Bar | None = None

    def start(
        self, lines: Sequence[tuple[str, str]], notes: Sequence[str] = (), *, round: int = 0
    ) -> None:
        """Prints the settings as (name, value) pairs, and notes for the user.

        `round` is the number of finished rounds of a resumed run.
        """
        self._pairs(lines)
        for note in notes:
            self._line(f"note: {note}", style="yellow")
        self._line("")
        self._begin, self._first = time.monotonic(), round
        if self._out.is_terminal and round < self._rounds:
            self._bar = _Bar(self._out, "rounds", round, self._rounds)

    def __call__(self, finished: Round) -> None:
        """Shows one round."""
        done = finished.state.round
        metrics = self._metrics(finished)
        if self._bar is not None:
            self._bar.advance(done, metrics)
            if done == self._rounds:
                self.close()
            return
        elapsed = time.monotonic() - self._begin
        left = elapsed / (done - self._first) * (self._rounds - done)
        times = (f"{_duration(elapsed)} elapsed", f"{_duration(left)} left")
        counter = f"round {done:>{len(str(self._rounds))}}/{self._rounds}"
        self._line("  ".join((counter, *metrics, *times)))

    @contextmanager
    def evaluating(self, total: int, what: str) -> Iterator[Callable[[int], None]]:
        """Shows, while the block evaluates `what`, how many of `total` episodes are finished."""
        self.close()
        if not self._out.is_terminal:
            self._line(f"evaluating {what}: {total} episodes")
            yield lambda done: None
            return
        self._bar = _Bar(self._out, what, 0, total)
        try:
            yield self._bar.advance
        finally:
            self.close()

    def finish(
        self,
        scores: Mapping[str, Score],
        *,
        usage: Usage,
        wall_seconds: float,
        run: Path,
        advice: str = "",
        shown: bool = True,
        extra: ExtraWords = NO_WORDS,
    ) -> None:
        """Prints one row per score, the usage of the run, its folder and the next commands.

        `advice`, one sentence on what would improve the student, is printed last. `shown`: the
        environment can be rendered.
        """
        self.close()
        self._line("")
        self._table(scores)
        self._line("")
        self._pairs(
            [
                ("labels", f"{usage.labels:,}"),
                ("env steps", f"{usage.env_steps:,}"),
                ("wall time", _duration(wall_seconds)),
                ("run", str(run)),
            ]
        )
        self._line("")
        self._pairs(list(commands(run, shown=shown, extra=extra).items()))
        if advice:
            self._line("")
            self._line(advice)

    def interrupted(self, run: Path, extra: ExtraWords = NO_WORDS) -> None:
        """Prints the command that resumes an interrupted run."""
        self.close()
        self._line("")
        self._pairs([("resume", commands(run, extra=extra)["resume"])])

    def compare(self, scores: Mapping[str, Score]) -> None:
        """Prints one row per job of a sweep, named by its overrides."""
        self._line("")
        self._table(scores)

    def _table(self, scores: Mapping[str, Score]) -> None:
        """Prints a table without truncation: long lines are wrapped by the terminal."""
        optional = [name for name in (self._per_step_name, self._failure_name) if name]
        rows = [["return", "mean", "std", "min", *optional, "episodes"]]
        digits = _digits(list(scores.values()))
        for name, score in scores.items():
            returns = (score.mean, score.std, float(score.returns.min()))
            numbers = [f"{value:,.{digits}f}" for value in returns]
            numbers += [f"{score.per_step:.2%}"] if self._per_step_name else []
            numbers += [str(score.failures)] if self._failure_name else []
            rows.append([name, *numbers, str(len(score.returns))])
        first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
        gap = " " * (2 if self._out.width > 60 else 1)
        for name, *numbers in rows:
            cells = [n.rjust(width) for n, width in zip(numbers, others, strict=True)]
            self._line(gap.join([name.ljust(first), *cells]))

    def score(self, score: Score) -> None:
        """Prints a single score with its spread."""
        self.close()
        digits = _digits([score])
        returns = score.returns
        names = {"mean": score.mean, "std": score.std, "standard error": score.stderr}
        names |= {"min": float(returns.min()), "max": float(returns.max())}
        rows = [(name, f"{value:,.{digits}f}") for name, value in names.items()]
        if self._per_step_name:
            rows.insert(0, (self._per_step_name, f"{score.per_step:.2%}"))
        if self._failure_name:
            rows.append((self._failure_name, str(score.failures)))
        rows += [("episodes", str(len(returns))), ("mean length", f"{score.lengths.mean():,.0f}")]
        self._line("")
        self._pairs(rows)

    def close(self) -> None:
        """Restores the terminal; must be called when a run is interrupted."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _metrics(self, finished: Round) -> tuple[str, ...]:
        metrics, score = finished.state.metrics, finished.score
        parts = []
        if "train/beta" in metrics:
            parts.append(f"beta {metrics['train/beta']:.2f}")
        parts.append(f"labels {finished.state.usage.labels:,}")
        if "train/loss" in metrics:
            parts.append(f"loss {metrics['train/loss']:.3g}")
        if score is None:
            return tuple(parts)
        digits = _digits([score])
        mean, std = f"{score.mean:,.{digits}f}", f"{score.std:,.{digits}f}"
        return (*parts, f"return {mean} {self._plus_minus} {std}")

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        width = max((len(name) for name, _ in pairs), default=0)
        for name, value in pairs:
            self._line(f"{name:<{width}}  {value}")

    def _line(self, text: str, style: str = "") -> None:
        # Lines are never broken, so that paths and commands can be copied whole.
        self._out.print(printable(text), style=style, markup=False, highlight=False, soft_wrap=True)


class _Bar:
    """Progress bar with a line of metrics under it."""

    def __init__(self, out: rich.console.Console, what: str, done: int, total: int) -> None:
        from rich.columns import Columns
        from rich.console import Group
        from rich.live import Live

        self._progress = _progress(out)
        self._task = self._progress.add_task(what, completed=done, total=total)
        self._metrics = Columns(padding=(0, 2))  # wraps between metrics, never inside one
        self._live = Live(Group(self._progress, self._metrics), console=out, refresh_per_second=4)
        self._live.start()

    def advance(self, done: int, metrics: Sequence[str] = ()) -> None:
        self._progress.update(self._task, completed=done)
        self._metrics.renderables = list(metrics)

    def close(self) -> None:
        self._live.stop()


def _progress(out: rich.console.Console) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        MofNCompleteColumn(),
        BarColumn(bar_width=None),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=out,
        expand=True,
        speed_estimate_period=3600,  # rounds may take minutes
    )


def _digits(scores: Sequence[Score]) -> int:
    """Returns the number of decimals that distinguish returns of this size."""
    largest = max((float(abs(score.returns).max()) for score in scores), default=0.0)
    return 1 if largest >= 10 else 2 if largest >= 1 else 4


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
