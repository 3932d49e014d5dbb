"""Scores of the final table: student and expert on the same test seeds."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np

from dagger_cli.config.build import TrainJob
from dagger_cli.config.components import open_for
from dagger_cli.core.types import Env, Policy, Score
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.tracking.checkpoint import load_policy, resolve_checkpoint
from dagger_cli.tracking.console import Console

# Cache of this process: the jobs of a sweep would evaluate the same expert again and again.
played: dict[str, Score] = {}


def final_scores(job: TrainJob, folder: Path, console: Console) -> dict[str, Score]:
    """Returns the scores of `student`, read from its checkpoint, and, if it is scored, `expert`.

    The expert's score is reused from an earlier job of this process with the same seeds.
    """
    checkpoint = resolve_checkpoint(folder / job.student)
    student = load_policy(checkpoint, job.kit.learner, job.env.source.action_space)
    expert, known = job.kit.expert, _known_by(job)
    with closing(open_for(job.env.eval_source, len(job.evaluation_seeds))) as env:
        if job.scores_expert and known not in played:
            played[known] = _score(job, env, "expert", expert, console)
        scores = {"expert": played[known]} if job.scores_expert else {}
        return {**scores, "student": _score(job, env, "student", student, console)}


def _score(job: TrainJob, env: Env, name: str, policy: Policy, console: Console) -> Score:
    seeds = job.evaluation_seeds
    with console.evaluating(len(seeds), name) as progress:
        # Seeded as in `dagger eval`, so that a mixture draws the same members.
        return evaluate(env, policy, seeds, np.random.default_rng(seeds[0]), progress)


def _known_by(job: TrainJob) -> str:
    """Returns a key of everything that the expert's score depends on."""
    config, seeds = job.config, [int(seed) for seed in job.evaluation_seeds]
    return json.dumps([config["env"], config["expert"], job.kit.expert.card.sha256, seeds])
