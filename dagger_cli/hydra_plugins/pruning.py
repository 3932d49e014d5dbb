"""Pruning of a sweep's jobs: a job ends early where its returns are behind those of the others.

The job itself asks the pruner after each round, from the metrics of the other jobs, so this works
with every launcher, and in a sweep that runs one job at a time the same jobs are pruned each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagger_cli.core.errors import Pruned
from dagger_cli.hydra_plugins.study import built
from dagger_cli.sweeps.job_file import FINISHED, PRUNED, jobs_in
from dagger_cli.tracking.run_curve import returns_of


@dataclass
class PruneWatcher:
    """Observer of a run in `folder`, a job of `sweep`; `pruner` is an optuna.pruners.BasePruner.

    Raises Pruned, after the checkpoint of the round is written.
    """

    pruner: Any
    sweep: Path
    folder: Path
    returns: dict[int, float] = field(default_factory=dict)

    def __call__(self, finished: Any) -> None:
        """Compares the validation return of a round with those of jobs that have ended."""
        import optuna

        if finished.score is None:
            return
        round, mean = finished.state.round, finished.score.mean
        self.returns = {**dict(returns_of(self.folder)), round: mean}
        study = optuna.create_study(direction="maximize")
        for job in jobs_in(self.sweep):
            if job.status in (FINISHED, PRUNED) and job.folder != self.folder:
                study.add_trial(_trial(dict(returns_of(job.folder)), job.status))
        study.add_trial(_trial(self.returns, None))
        if self.pruner.prune(study, study.get_trials()[-1]):
            raise Pruned(f"after round {round}, validation return {mean:,.2f}")


def watcher(sweeper: Mapping[str, Any], sweep: Path, folder: Path) -> PruneWatcher | None:
    """Returns the observer that a sweeper's config asks for; None without a pruner."""
    pruner = built(sweeper.get("pruner"))
    return None if pruner is None else PruneWatcher(pruner, sweep, folder)


def _trial(returns: Mapping[int, float], status: str | None) -> Any:
    from optuna.trial import TrialState, create_trial

    states = {FINISHED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, None: TrialState.RUNNING}
    last = returns[max(returns)] if returns and status is not None else None
    return create_trial(state=states[status], value=last, intermediate_values=dict(returns))
