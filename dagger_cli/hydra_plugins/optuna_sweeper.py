"""Sweeper `hydra/sweeper=optuna`, with the keys of hydra-optuna-sweeper, for Optuna 5.

Where that plug-in is installed it is used instead. This one also prunes jobs, and resumes: the
sampler proposes the same trials again, and jobs that have ended give their results at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import MISSING, DictConfig, OmegaConf

from dagger_cli.core.errors import ConfigError
from dagger_cli.hydra_plugins.search_space import parsed
from dagger_cli.sweeps.job_file import FAILED, jobs_in
from dagger_cli.utils.system import usable_cores

if TYPE_CHECKING:
    from dagger_cli.hydra_plugins.study import Study

OPTUNA = "dagger_cli.hydra_plugins.optuna_sweeper.OptunaSweeper"
MINIMIZED = ("labels_to_95",)  # objectives; others are maximized


@dataclass
class OptunaConf:
    """Config of the sweeper; `sampler` and `pruner` are groups."""

    defaults: list[Any] = field(default_factory=lambda: [{"sampler": "tpe"}, {"pruner": "none"}])
    _target_: str = OPTUNA
    sampler: Any = MISSING
    pruner: Any = MISSING
    direction: Any = None  # maximize or minimize; null: as the objective needs
    storage: str | None = None  # sqlite:///study.db, journal:///study.log, ...; null: in memory
    study_name: str | None = None
    n_trials: int = 20
    n_jobs: int | None = None  # at once; null: 1, and all cores with a launcher that is parallel
    max_failure_rate: float = 1.0  # share of failed jobs in a batch above which the sweep ends
    params: Any = None  # search space: key and values, as on the command line


class OptunaSweeper(Sweeper):
    """Asks Optuna for trials, launches them as jobs, and reports their objectives to it."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Creates the launcher, as Hydra asks of a sweeper."""
        self._folder = Path(config.hydra.sweep.dir).absolute()
        self._objective = config.get("objective")
        self._basic = str(config.hydra.launcher.get("_target_")).endswith(".BasicLauncher")
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Runs the trials, and writes optimization_results.yaml.

        Raises ConfigError for a search space that Optuna does not have, and where more jobs failed
        than `max_failure_rate` allows.
        """
        from dagger_cli.hydra_plugins.study import Study  # loads numpy and the loop

        settings = self._settings
        node = settings["params"]
        params: Any = {} if node is None else OmegaConf.to_container(node)
        space, fixed = parsed([*(f"{k}={v}" for k, v in params.items()), *arguments])
        study = Study.opened(settings, self._direction(), self._folder, space)
        at_once = settings["n_jobs"] or (1 if self._basic else usable_cores())
        number = 0
        while trials := study.next_trials(at_once):
            words = [[*(f"{k}={v}" for k, v in one.params.items()), *fixed] for one in trials]
            self._launcher.launch(words, initial_job_idx=number)
            number += len(trials)
            self._tell(study, trials, words)
        study.write_results()

    def _direction(self) -> str:
        given = self._settings["direction"]
        if given is None:
            return "minimize" if self._objective in MINIMIZED else "maximize"
        if given not in ("minimize", "maximize"):
            raise ConfigError(
                f"hydra.sweeper.direction must be minimize or maximize, got '{given}'"
            )
        return str(given)

    def _tell(self, study: Study, trials: Sequence[Any], words: Sequence[list[str]]) -> None:
        jobs, failed = jobs_in(self._folder), 0
        for trial, own in zip(trials, words, strict=True):
            job = next((job for job in jobs if job.does(own)), None)
            study.tell(trial, job)
            failed += job is None or job.status == FAILED
        allowed = self._settings["max_failure_rate"]
        if failed / len(trials) > allowed:
            raise ConfigError(
                f"{failed} of {len(trials)} jobs failed, more than "
                f"hydra.sweeper.max_failure_rate={allowed:g} allows"
            )
