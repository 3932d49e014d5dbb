"""`logger=wandb`: Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from dagger_cli.loggers.interface import RunInfo, RunResult, missing_extra
from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import scalars


class WandbLogger:
    """Logs a run to `project` of `entity` (None: the account's default); x-axis `train/labels`.

    `mode` is wandb's own: `online`, `offline` (files in the run's folder) or `disabled`. Raises
    ConfigError where wandb is not installed.
    """

    def __init__(
        self,
        project: str,
        entity: str | None,
        mode: Literal["online", "offline", "disabled"],
        tags: Sequence[str],
    ) -> None:
        self._options: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "mode": mode,
            "tags": list(tags),
        }
        self._run: Any = None

    def start(self, run: RunInfo) -> None:
        """Opens the run; a resumed one continues under the same id."""
        try:
            import wandb
        except ImportError as err:
            raise missing_extra("wandb", err) from err
        self._run = wandb.init(
            **self._options,
            id=run.name.replace("/", "-"),
            name=run.name,
            resume="allow",
            dir=str(run.folder),
            config=run.settings,
        )
        self._run.define_metric("*", step_metric="train/labels")

    def log(self, finished: Round) -> None:
        """Logs the round's scalars."""
        self._run.log({"train/round": finished.state.round, **scalars(finished)})

    def finish(self, result: RunResult) -> None:
        """Writes the final scores into the run's summary."""
        self._run.summary.update(result.scalars)

    def close(self) -> None:
        """Ends the run."""
        if self._run is not None:
            self._run.finish()
