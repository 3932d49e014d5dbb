"""`dagger eval`: evaluates, renders or records a policy on seeds that training never used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from dagger_cli.config.build import EvalJob
from dagger_cli.config.components import open_for
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Policy, Score
from dagger_cli.loop.beam_search import beam_search
from dagger_cli.loop.evaluate import Progress, evaluate
from dagger_cli.tracking.checkpoint import load_policy
from dagger_cli.tracking.console import Console
from dagger_cli.tracking.summary import score_summary
from dagger_cli.tracking.write_errors import writing
from dagger_cli.utils.files import shown_path, write_json


def score(
    job: EvalJob,
    checkpoint: Path | None,
    *,
    render: str | None,
    video: str | None,
    json: str | None,
    width: int | None = None,
    more: Callable[[Score], Sequence[tuple[str, str]]] = lambda score: (),
) -> Score:
    """Runs the episodes, prints the score, and writes it to `json` where that is given.

    `width` is the beam width, None for greedy actions; `more` returns further rows of the score.
    Raises ConfigError for options that exclude each other.
    """
    if render not in (None, "human"):
        raise ConfigError(f"render={render} is not known; use render=human, or video=path.mp4")
    if render and video:
        raise ConfigError("render=human and video=... exclude each other; leave one out")
    if width is not None and (render or video):
        raise ConfigError("decode=beam cannot be rendered; leave out render and video")
    if json is not None:
        with writing(Path(json)):
            Path(json).parent.mkdir(parents=True, exist_ok=True)
    policy, name = _policy(job, checkpoint)
    console = Console(
        failure_name=job.env.failure_name,
        per_step_name=job.env.per_step_name,
        return_name=job.env.return_name,
    )
    notes = (*job.env.notes, *(job.expert.card.notes if job.expert is not None else ()))
    what = [("env", str(job.env.source.id)), ("policy", name)]
    console.start([*what, ("seeds", f"{job.seeds[0]} to {job.seeds[-1]}")], notes)
    rng = np.random.default_rng(job.seeds[0])
    mode = render or (Path(video) if video else None)
    with console.evaluating(len(job.seeds), "policy") as progress:
        if mode is not None:
            result: Score = job.env.source.play(policy, job.seeds, rng, mode)
        elif width is not None:
            result = _beam(job, policy, width, progress)
        else:
            with closing(open_for(job.env.source, len(job.seeds))) as env:
                result = evaluate(env, policy, job.seeds, rng, progress)
    written = [(k, shown_path(Path(v))) for k, v in (("video", video), ("json", json)) if v]
    if json is not None:
        value = {"policy": name, "env": str(job.env.source.id), **score_summary(result)}
        value["returns"], value["lengths"] = result.returns.tolist(), result.lengths.tolist()
        with writing(Path(json)):
            write_json(Path(json), value)
    console.score(result, [*more(result), *written])
    return result


def _beam(job: EvalJob, policy: Policy, width: int, progress: Progress) -> Score:
    with closing(job.env.source.open(len(job.seeds) * max(width, 1))) as env:
        result = beam_search(env, policy, job.seeds, width)
    progress(len(job.seeds), int(result.lengths.sum()))
    return result


def _policy(job: EvalJob, checkpoint: Path | None) -> tuple[Policy, str]:
    if checkpoint is None:
        assert job.expert is not None
        return job.expert, f"expert {job.expert.card.name} ({job.expert.card.source})"
    assert job.learner is not None
    return load_policy(checkpoint, job.learner, job.env.source.action_space), shown_path(checkpoint)
