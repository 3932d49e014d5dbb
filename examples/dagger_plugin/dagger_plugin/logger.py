"""A logger: one line a round, in a text file of the run's folder."""

from pathlib import Path

from dagger_cli import Round, RunInfo


class LinesLogger:
    """Only `log` is required of a logger; `start`, `finish` and `close` may be left out."""

    def __init__(self, filename: str) -> None:
        self.filename = filename

    def start(self, run: RunInfo) -> None:
        """Opens the file of the run."""
        self.path = Path(run.folder) / self.filename

    def log(self, finished: Round) -> None:
        """Appends a line."""
        score = "-" if finished.score is None else f"{finished.score.mean:.1f}"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{finished.state.round} {finished.state.usage.labels} {score}\n")
