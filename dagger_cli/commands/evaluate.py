"""`dagger eval`: score, show or film a policy on seeds that training never used."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from dagger_cli.build import EvalJob, slots_for
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.evaluate import evaluate
from dagger_cli.core.files import write_json
from dagger_cli.core.types import Policy, Score
from dagger_cli.tracking.checkpoint import load_policy
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.disk import writing
from dagger_cli.tracking.summary import score_summary


def score(
    job: EvalJob,
    checkpoint: Path | None,
    *,
    render: str | None,
    video: str | None,
    json: str | None,
) -> Score:
    """Play the episodes, print the scores, and write the file that was asked for."""
    if render not in (None, "human"):
        raise ConfigError(f"render={render} is not known; use render=human, or video=path.mp4")
    if render and video:
        raise ConfigError("render=human and video=... cannot be had at once; leave one out")
    policy, name = _policy(job, checkpoint)
    console = Console(rounds=0, failure_name=job.env.failure_name)
    notes = job.expert.card.notes if job.expert is not None else ()
    what = [("env", str(job.env.source.id)), ("policy", name)]
    console.start([*what, ("seeds", f"{job.seeds[0]} to {job.seeds[-1]}")], notes)
    rng = np.random.default_rng(job.seeds[0])
    mode = render or (Path(video) if video else None)
    with console.evaluating(len(job.seeds), "episodes") as progress:
        if mode is not None:
            result: Score = job.env.source.play(policy, job.seeds, rng, mode)
        else:
            with closing(job.env.source.open(slots_for(len(job.seeds)))) as env:
                result = evaluate(env, policy, job.seeds, rng, progress)
    console.score(result)
    if json is not None:
        value = {"policy": name, "env": str(job.env.source.id), **score_summary(result)}
        value["returns"], value["lengths"] = result.returns.tolist(), result.lengths.tolist()
        with writing(Path(json)):
            write_json(Path(json), value)
    return result


def _policy(job: EvalJob, checkpoint: Path | None) -> tuple[Policy, str]:
    if checkpoint is None:
        assert job.expert is not None
        return job.expert, f"expert {job.expert.card.name} ({job.expert.card.source})"
    assert job.learner is not None
    return load_policy(checkpoint, job.learner), str(checkpoint)
