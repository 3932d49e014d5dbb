"""Console output of a run: settings, progress, results and the next commands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagger_cli.core.types import Score, Usage
from dagger_cli.loop.evaluate import Progress
from dagger_cli.loop.run import Round
from dagger_cli.tracking.progress_bar import Bar
from dagger_cli.tracking.summary import NO_WORDS, ExtraWords, commands, score_summary
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.quoting import shell_joined
from dagger_cli.utils.terminal import printable, sane_size

if TYPE_CHECKING:
    import rich.console

SILENT = 10.0  # seconds after which a line is printed where there is no terminal
NO_PICTURES: Mapping[str, Path | None] = {}
SHORT = 0.25  # seconds between two changes of a bar


class Console:
    """Observer that prints one line per round, with a progress bar under them on a terminal.

    `rounds` is the length of the run, 0 if there are none; `failure_name` names a failed episode,
    as in "falls", or is None; `per_step_name` names the return per step where that is the usual
    metric, as in "accuracy"; `return_name` names the return. Output goes to `out`, by default
    stdout; `quiet` disables it.
    """

    def __init__(
        self,
        *,
        rounds: int = 0,
        failure_name: str | None = None,
        per_step_name: str | None = None,
        return_name: str = "return",
        out: rich.console.Console | None = None,
        quiet: bool = False,
    ) -> None:
        from rich.console import Console as RichConsole

        # In a notebook plain text, as one output: Rich's own would be an HTML block for every line.
        width, height = sane_size()
        self._out = out or RichConsole(quiet=quiet, force_jupyter=False, width=width, height=height)
        self._out.on_broken_pipe = _broken_pipe  # type: ignore[method-assign]
        self._rounds, self._failure_name, self._per_step_name = rounds, failure_name, per_step_name
        self._return_name = return_name
        self._plus_minus = "+-" if self._out.options.ascii_only else "±"
        self._begin = time.monotonic()
        self._first = 0  # rounds finished before this run was resumed
        self._bar: Bar | None = None
        self._done, self._said = 0, self._begin  # rounds so far, time of the last line

    def start(
        self, lines: Sequence[tuple[str, str]], notes: Sequence[str] = (), *, round: int = 0
    ) -> None:
        """Prints the settings as (name, value) pairs, and notes for the user.

        `round` is the number of finished rounds of a resumed run.
        """
        self._pairs(lines)
        for note in notes:
            self.line(f"note: {note}", style="yellow")
        self.line("")
        self._begin, self._first, self._done = time.monotonic(), round, round
        if round < self._rounds:
            self._bar = self.bar("rounds", round, self._rounds)

    def __call__(self, finished: Round) -> None:
        """Shows one round."""
        done = self._done = finished.state.round
        parts = (self._counter(done), *self._metrics(finished))
        if self._bar is not None:
            self.line("  ".join(parts))
            self._bar.advance(done)
            if done == self._rounds:
                self.close()
            return
        elapsed = time.monotonic() - self._begin
        left = elapsed / (done - self._first) * (self._rounds - done)
        times = (f"{_duration(elapsed)} elapsed", f"{_duration(left)} left")
        self.line("  ".join((*parts, *times)))

    def fitting(self, share: float, what: str = "fit") -> None:
        """Shows how much of a fit, or of labels, is done; without a terminal only in long ones."""
        if self._bar is not None:
            self._bar.part(f"{what} {share:.0%}")
        elif time.monotonic() - self._said > SILENT and self._done < self._rounds:
            self.line(f"{self._counter(self._done + 1)}  {what} {share:.0%}")

    def _counter(self, round: int) -> str:
        return f"round {round:>{len(str(self._rounds))}}/{self._rounds}"

    @contextmanager
    def evaluating(self, total: int, what: str) -> Iterator[Progress]:
        """Shows, while the block evaluates `what`, finished episodes of `total` and env steps.

        Without a terminal a line is printed every ten seconds.
        """
        self.close()
        shown = time.monotonic()

        def show(done: int, steps: int) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown < (SILENT if self._bar is None else SHORT) and done < total:
                return
            shown = now
            if self._bar is not None:
                self._bar.advance(done)
                self._bar.part(f"{steps:,} steps")
            elif done < total:
                self.line(f"evaluating {what}: {done} of {total} episodes, {steps:,} steps")

        self._bar = self.bar(what, 0, total)
        if self._bar is None:
            self.line(f"evaluating {what}: {total} episode{'s' * (total > 1)}")
        try:
            yield show
        finally:
            self.close()

    def finish(
        self,
        scores: Mapping[str, Score],
        *,
        usage: Usage,
        wall_seconds: float,
        run: Path,
        pictures: Mapping[str, Path | None] = NO_PICTURES,
        notes: Sequence[str] = (),
        chosen: str = "",
        advice: str = "",
        shown: bool = True,
        extra: ExtraWords = NO_WORDS,
    ) -> None:
        """Prints one row per score, the usage of the run, its folder and the next commands.

        `pictures` are files of the run, named with it; `notes` are printed after them.
        `chosen` says which round the student is of, and why.
        `advice`, one sentence on what would improve the student, is printed last. `shown`: the
        environment can be rendered.
        """
        self.close()
        self.line("")
        self._table({name: score_summary(score) for name, score in scores.items()})
        self.line("")
        self._pairs(
            [
                *([("chosen", chosen)] if chosen else []),
                ("labels", f"{usage.labels:,}"),
                ("env steps", f"{usage.env_steps:,}"),
                ("wall time", _duration(wall_seconds)),
                ("run", shown_path(run)),
                *((name, shown_path(path)) for name, path in pictures.items() if path),
            ]
        )
        for note in notes:
            self.line(f"note: {note}", style="yellow")
        self.line("")
        self._pairs(list(commands(run, shown=shown, extra=extra).items()))
        if advice:
            self.line("")
            self.line(advice)

    def paused(self, run: Path, why: str, extra: ExtraWords = NO_WORDS) -> None:
        """Prints why the run waits, and the commands that go on."""
        self.close()
        self.line("")
        resume = commands(run, extra=extra)["resume"]
        given = f"run={shown_path(run)}"
        answer = f"{shell_joined(['dagger', 'answer', given])} file=FILE by=NAME"
        ask = shell_joined(["dagger", "ask", given])
        where = shown_path(run / "questions")
        rows = [("paused", why), ("states", where), ("open", ask), ("answer", answer)]
        self._pairs([*rows, ("go on", resume)])

    def interrupted(self, run: Path, extra: ExtraWords = NO_WORDS) -> None:
        """Prints the command that resumes an interrupted run."""
        self.close()
        self.line("")
        self._pairs([("resume", commands(run, extra=extra)["resume"])])

    def compare(self, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Prints one row per job of a sweep; scores are as in summary.json."""
        self.line("")
        self._table(scores)

    def _table(self, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Prints a table without truncation: long lines are wrapped by the terminal."""
        optional = [name for name in (self._per_step_name, self._failure_name) if name]
        rows = [[self._return_name, "mean", "std", "min", *optional, "episodes"]]
        digits = _digits(*(score[bound] for score in scores.values() for bound in ("min", "max")))
        for name, score in scores.items():
            numbers = [f"{score[key]:,.{digits}f}" for key in ("mean", "std", "min")]
            numbers += [f"{score['per_step']:.2%}"] if self._per_step_name else []
            numbers += [str(score["failures"])] if self._failure_name else []
            rows.append([name, *numbers, str(score["episodes"])])
        first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
        gap = " " * (2 if self._out.width > 60 else 1)
        for name, *numbers in rows:
            cells = [n.rjust(width) for n, width in zip(numbers, others, strict=True)]
            self.line(gap.join([name.ljust(first), *cells]))

    def score(self, score: Score, more: Sequence[tuple[str, str]] = ()) -> None:
        """Prints a single score with its spread, then `more` rows in the same columns."""
        self.close()
        returns = score.returns
        digits = _digits(*returns)
        names = {"mean": score.mean, "std": score.std, "std error": score.stderr}
        names |= {"min": float(returns.min()), "max": float(returns.max())}
        rows = [(name, f"{value:,.{digits}f}") for name, value in names.items()]
        if self._per_step_name:
            rows.insert(0, (self._per_step_name, f"{score.per_step:.2%}"))
        if self._failure_name:
            rows.append((self._failure_name, str(score.failures)))
        rows += [("episodes", str(len(returns))), ("mean length", f"{score.lengths.mean():,.0f}")]
        self.line("")
        self._pairs([*rows, *more])

    def bar(self, what: str, done: int, total: int) -> Bar | None:
        """Returns a new progress bar; None where there is no terminal."""
        return Bar(self._out, what, done, total) if self._out.is_terminal else None

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
        digits = _digits(*score.returns)
        mean, std = f"{score.mean:,.{digits}f}", f"{score.std:,.{digits}f}"
        return (*parts, f"{self._return_name} {mean} {self._plus_minus} {std}")

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        width = max((len(name) for name, _ in pairs), default=0)
        for name, value in pairs:
            self.line(f"{name:<{width}}  {value}")

    def line(self, text: str, style: str = "") -> None:
        """Prints a line, whole; characters that control a terminal are replaced."""
        # Lines are never broken, so that paths and commands can be copied whole. A line break in a
        # name would forge further lines.
        self._said = time.monotonic()
        text = printable(text.replace("\n", "\N{REPLACEMENT CHARACTER}"))
        self._out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _broken_pipe() -> None:
    """Raises BrokenPipeError, as print does; Rich would exit with 1."""
    raise BrokenPipeError


def _digits(*returns: float) -> int:
    """Returns the number of decimals that distinguish returns of this size."""
    largest = max(map(abs, returns), default=0.0)
    return 1 if largest >= 10 else 2 if largest >= 1 else 4


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
