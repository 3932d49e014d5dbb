"""A study of Optuna whose trials are jobs of a sweep."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dagger_cli.core.errors import ConfigError
from dagger_cli.sweeps.job_file import FINISHED, PRUNED, Job
from dagger_cli.tracking.run_curve import returns_of
from dagger_cli.tracking.run_paths import BEST_TRIAL
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import write_text

SWEEP = "sweep"  # attribute of a trial: the folder of the sweep that runs it


@dataclass(frozen=True)
class Study:
    """Study, and the part of it that this sweep runs.

    Several sweeps, also on other machines, may share one in a storage.
    """

    study: Any  # optuna.Study
    folder: Path
    space: Mapping[str, Any]
    n_trials: int

    @classmethod
    def opened(
        cls, settings: Mapping[str, Any], direction: Any, folder: Path, space: Mapping[str, Any]
    ) -> Study:
        """Creates or opens a study; ConfigError where Optuna refuses a setting."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage, shared = settings["storage"], settings["storage"] is not None
        with _refused("hydra.sweeper"):
            study = optuna.create_study(
                study_name=settings["study_name"] or ("dagger" if shared else None),
                storage=_storage(storage) if shared else None,
                sampler=_sampler(settings["sampler"], shared=shared),
                pruner=built(settings["pruner"]),
                direction=direction,
                load_if_exists=True,
            )
        return cls(study, folder, space, settings["n_trials"])

    def next_trials(self, at_once: int) -> list[Any]:
        """Returns up to `at_once` trials to run: interrupted ones of this sweep, then new ones."""
        own = [one for one in self.study.get_trials() if one.user_attrs.get(SWEEP) == self._name]
        left = self.n_trials - sum(one.state.is_finished() for one in own)
        size = max(0, min(at_once, left))
        cut = [self._again(one) for one in own if not one.state.is_finished()]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # values outside of a step, experimental samplers
            return [*cut, *(self._asked() for _ in range(size - len(cut)))][:size]

    @property
    def _name(self) -> str:
        return str(self.folder)

    def _asked(self) -> Any:
        with _refused("hydra.sweeper.params"):
            trial = self.study.ask(dict(self.space))
        trial.set_user_attr(SWEEP, self._name)
        return trial

    def _again(self, frozen: Any) -> Any:
        from optuna.trial import Trial

        return Trial(self.study, frozen._trial_id)

    def tell(self, trial: Any, job: Job | None) -> None:
        """Reports the objective of a job, and its returns by round, which samplers use, too."""
        from optuna.trial import TrialState

        for round, value in returns_of(job.folder) if job is not None else ():
            trial.report(value, round)
        if job is not None and job.status == FINISHED and job.objective is not None:
            self.study.tell(trial, job.objective)
            return
        pruned = job is not None and job.status == PRUNED
        self.study.tell(trial, state=TrialState.PRUNED if pruned else TrialState.FAIL)

    def write_results(self) -> None:
        """Writes the best trial in the sweep's folder, under the names of hydra-optuna-sweeper."""
        from optuna.trial import TrialState

        if not self.study.get_trials(states=(TrialState.COMPLETE,)):
            return
        best = self.study.best_trial
        values = {"name": "optuna", "best_params": dict(best.params), "best_value": best.value}
        with writing(self.folder / BEST_TRIAL):
            write_text(self.folder / BEST_TRIAL, OmegaConf.to_yaml(OmegaConf.create(values)))


def _storage(text: str) -> Any:
    """Returns the storage for an address: a file of lines (journal:///), or a database."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if text.startswith("journal:///"):
        return JournalStorage(JournalFileBackend(text.removeprefix("journal:///")))
    return text


def _sampler(node: Any, *, shared: bool) -> Any:
    """Returns the sampler; without a shared storage a seed of null is 0, so that it repeats."""
    settings = dict(node)
    if "seed" in settings and settings["seed"] is None and not shared:
        settings["seed"] = 0
    return built(settings)


def built(node: Mapping[str, Any] | None) -> Any:
    """Returns the object that a node with `_target_` describes; None for an empty one."""
    from hydra.utils import instantiate

    if not node or "_target_" not in node:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of experimental samplers
        return instantiate(dict(node))


@contextmanager
def _refused(key: str) -> Iterator[None]:
    try:
        yield
    except ConfigError:
        raise
    except Exception as err:  # of Optuna, Hydra, and databases, each with classes of its own
        reason = " ".join(str(err).split())[:300]
        raise ConfigError(f"Optuna refuses {key} ({type(err).__name__}: {reason})") from err
