"""Scores of the final table: student and expert on the same test seeds."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dagger_cli.commands.expert_scores import expert_score
from dagger_cli.config.build import TrainJob
from dagger_cli.config.components import open_for
from dagger_cli.core.types import Env, Policy, Score
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.tracking.checkpoint import load_policy, resolve_checkpoint
from dagger_cli.tracking.console import Console


def student_of(job: TrainJob, folder: Path) -> Policy:
    """Returns the student of the run, read from its checkpoint."""
    checkpoint = resolve_checkpoint(folder / job.student)
    return load_policy(checkpoint, job.kit.learner, job.env.source.action_space)


class FinalScores(NamedTuple):
    """The scores; that of the expert is None where it is not scored.

    `note` says where its episodes were not played now.
    """

    student: Score
    expert: Score | None
    note: str


def final_scores(job: TrainJob, student: Policy, console: Console) -> FinalScores:
    """Returns the scores of `student` and, if it is scored, of the expert."""
    seeds = job.evaluation_seeds
    with closing(open_for(job.env.eval_source, len(seeds))) as env:
        expert, note = None, ""
        if job.scores_expert:
            expert, note = expert_score(job, seeds, partial(_played_by_expert, job, env, console))
        return FinalScores(_score(job, env, "student", student, console), expert, note)


def _played_by_expert(job: TrainJob, env: Env, console: Console) -> Score:
    """Plays the expert in `env`, or in one that draws no pictures where the students' are drawn."""
    undrawn = getattr(job.env.eval_source, "undrawn", None)
    if undrawn is None:
        return _score(job, env, "expert", job.kit.expert, console)
    with closing(open_for(undrawn, len(job.evaluation_seeds))) as other:
        return _score(job, other, "expert", job.kit.expert, console)


def _score(job: TrainJob, env: Env, name: str, policy: Policy, console: Console) -> Score:
    seeds = job.evaluation_seeds
    with console.evaluating(len(seeds), name) as progress:
        # Seeded as in `dagger eval`, so that a mixture draws the same members.
        return evaluate(env, policy, seeds, np.random.default_rng(seeds[0]), progress)
