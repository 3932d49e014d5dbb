"""`logger=trackio`: Trackio, a local tracker of Hugging Face."""

from __future__ import annotations

from typing import Any

from dagger_cli.loggers.interface import RunInfo, RunResult, missing_extra
from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import scalars


class TrackioLogger:
    """Logs a run to `project`, on this machine or to the Space `space_id` on the Hub.

    Raises ConfigError where trackio is not installed.
    """

    def __init__(self, project: str, space_id: str | None) -> None:
        self._project, self._space_id = project, space_id
        self._run: Any = None

    def start(self, run: RunInfo) -> None:
        """Opens the run; a resumed one continues under the same name."""
        try:
            import trackio
        except ImportError as err:
            raise missing_extra("trackio", err) from err
        self._run = trackio.init(
            project=self._project,
            name=run.name,
            space_id=self._space_id,
            config=run.settings,
            resume="allow",
            embed=False,
        )

    def log(self, finished: Round) -> None:
        """Logs the round's scalars, with the number of labels as step."""
        values = {"train/round": finished.state.round, **scalars(finished)}
        self._run.log(values, step=finished.state.usage.labels)

    def finish(self, result: RunResult) -> None:
        """Logs the final scores."""
        self._run.log(result.scalars, step=result.usage.labels)

    def close(self) -> None:
        """Ends the run."""
        if self._run is not None:
            self._run.finish()
