"""`logger=mlflow`: MLflow."""

from __future__ import annotations

import math
import os
from typing import Any

from dagger_cli.loggers.interface import RunInfo, RunResult, missing_extra
from dagger_cli.loop.run import Round
from dagger_cli.tracking.metrics import scalars
from dagger_cli.utils.files import read_bytes, write_text

_ID_FILE = "mlflow_run_id"


class MlflowLogger:
    """Logs a run to `experiment`; the step of a metric is the number of labels.

    `tracking_uri` None stands for MLFLOW_TRACKING_URI where it is set, else for a database in the
    run's folder. Raises ConfigError where MLflow is not installed.
    """

    def __init__(self, tracking_uri: str | None, experiment: str) -> None:
        self._uri, self._experiment = tracking_uri, experiment
        self._client: Any = None

    def start(self, run: RunInfo) -> None:
        """Opens the run; a resumed one continues in the same MLflow run."""
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as err:
            raise missing_extra("mlflow", err) from err
        own = f"sqlite:///{(run.folder / 'mlflow.db').absolute()}"
        self._client = MlflowClient(self._uri or os.environ.get("MLFLOW_TRACKING_URI") or own)
        self._labels = run.labels
        file = run.folder / _ID_FILE
        if run.round and file.is_file():
            self._id = read_bytes(file, 100).decode("ascii", "replace").strip()
            self._client.update_run(self._id, status="RUNNING")
            return
        found = self._client.get_experiment_by_name(self._experiment)
        experiment = found.experiment_id if found else None
        experiment = experiment or self._client.create_experiment(self._experiment)
        self._id = self._client.create_run(experiment, run_name=run.name).info.run_id
        write_text(file, self._id)
        for key, value in run.settings.items():
            self._client.log_param(self._id, key, value)

    def log(self, finished: Round) -> None:
        """Logs the round's scalars."""
        self._labels = finished.state.usage.labels
        self._write({"train/round": finished.state.round, **scalars(finished)})

    def finish(self, result: RunResult) -> None:
        """Logs the final scores and ends the run."""
        self._write(result.scalars)
        self._client.set_terminated(self._id)

    def _write(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            if math.isfinite(value):
                self._client.log_metric(self._id, name, float(value), step=self._labels)
