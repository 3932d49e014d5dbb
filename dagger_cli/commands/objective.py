"""Objective of a run for sweepers, from its validation: never from the seeds of the final table."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from dagger_cli.commands.expert_scores import expert_score
from dagger_cli.config.build import TrainJob
from dagger_cli.config.components import open_for
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import one_of
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.report.measures import area, labels_to, share
from dagger_cli.tracking.run_curve import curve_of

RETURN, LABELS_TO_95, AUC = OBJECTIVES = ("return", "labels_to_95", "auc")
PART = 0.95


def check_objective(job: TrainJob) -> None:
    """Raises ConfigError for an unknown objective, or one that this run would not have."""
    name = job.objective
    one_of("objective", name, OBJECTIVES)
    if name == RETURN:
        return
    if not job.validation_seeds:
        raise ConfigError(
            f"objective={name} is measured in validation: set validation.episodes above 0"
        )
    if "jsonl" not in job.loggers:
        raise ConfigError(f"objective={name} is read from metrics.jsonl: add jsonl to logger=[...]")


def objective_of(job: TrainJob, folder: Path, best: float) -> float:
    """Returns the objective of a finished run; nan without validation.

    `best` is the best validation return.

    return: `best`. auc: mean validation return over the labels. labels_to_95: labels used when the
    validation return first had 95 % of the expert's on the same seeds; a run that never had them
    counts as its labels times (1 + missing share), so that of two such runs the closer one is
    better; of an expert's 0 all is missing.
    """
    if job.objective == RETURN:
        return best
    labels, returns = (np.array(column, float) for column in zip(*curve_of(folder), strict=True))
    if job.objective == AUC:
        return area(labels, returns)
    expert = _expert(job)
    reached = labels_to(labels, returns, expert, PART)
    if np.isfinite(reached):
        return reached
    missing = PART - share(returns, expert).max() if expert else 1.0
    return float(labels[-1] * (1 + np.clip(missing, 0.0, 1.0)))


def _expert(job: TrainJob) -> float:
    """Returns the expert's mean return on the seeds of validation."""
    source, seeds, expert = job.env.source, job.validation_seeds, job.kit.expert
    with closing(open_for(source, len(seeds))) as env:
        rng = np.random.default_rng(seeds[0])
        play = partial(evaluate, env, expert, seeds, rng)
        return expert_score(job, seeds, play).score.mean
