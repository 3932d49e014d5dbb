"""Progress bar of a terminal; lines that are printed meanwhile stay above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.console


class Bar:
    """Bar that shows `done` of `total`, with the time it took and the time left."""

    def __init__(self, out: rich.console.Console, what: str, done: int, total: int) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            MofNCompleteColumn(),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[part]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=out,
            expand=True,
            speed_estimate_period=3600,  # rounds may take minutes
            refresh_per_second=4,
        )
        self._task = self._progress.add_task(what, completed=done, total=total, part="")
        self._progress.start()

    def advance(self, done: int) -> None:
        """Shows that `done` are finished."""
        self._progress.update(self._task, completed=done, part="")

    def part(self, text: str) -> None:
        """Shows what is going on within the current one, such as `fit 40%`."""
        self._progress.update(self._task, part=text)

    def close(self) -> None:
        """Restores the terminal."""
        self._progress.stop()
