"""Returns over unseen seeds, in Gymnasium itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jobs import job_of
from torch import nn

from dagger_cli.build import open_for
from dagger_cli.core.evaluate import evaluate
from dagger_cli.core.types import Acts, Score
from dagger_cli.tracking.checkpoint import load_policy, resolve_checkpoint


class Plain:
    """A policy of the reference loop."""

    def __init__(self, path: Path) -> None:
        self._network = nn.Sequential(
            *(nn.Linear(24, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()),
            *(nn.Linear(64, 4), nn.Tanh()),
        )
        self._network.load_state_dict(torch.load(path, weights_only=True))

    def act(self, view: Any, rng: Any) -> Acts:
        """Answer every row."""
        with torch.inference_mode():
            return Acts(
                self._network(torch.from_numpy(view.obs)).numpy(), np.zeros(len(view), bool)
            )


def score(policy: Any, job: Any, seeds: range) -> Score:
    with closing(open_for(job.env.judge, len(seeds))) as env:
        return evaluate(env, policy, seeds, np.random.default_rng(0))


def score_run(folder: Path | None, expert: list[str], seeds: range) -> Score:
    """The student of a run of `dagger train`; the expert itself where there is no folder."""
    if folder is None:
        job = job_of("env=bipedal", *expert)
        return score(job.kit.expert, job, seeds)
    words = [w for w in ("experiment=walker_100k", "experiment=walker_fast") if _is(folder, w)]
    job = job_of("env=bipedal", *expert, *words)
    policy = load_policy(
        resolve_checkpoint(folder / "best"), job.kit.learner, job.env.source.action_space
    )
    return score(policy, job, seeds)


def _is(folder: Path, experiment: str) -> bool:
    return folder.name.startswith("same") == experiment.endswith("100k")


def score_reference(folder: Path, round: int, seeds: range) -> Score:
    return score(
        Plain(folder / f"policy_{round}.pt"), job_of("env=bipedal", "expert=bundled"), seeds
    )


def first_good(folder: Path, goal: float, seeds: range) -> int | None:
    """The first round of the reference loop whose policy reaches `goal`.

    Rounds are tried on ten of the seeds first, so that most of the bad ones cost little.
    """
    job = job_of("env=bipedal", "expert=bundled")
    for round in range(1, len(list(folder.glob("policy_*.pt"))) + 1):
        policy = Plain(folder / f"policy_{round}.pt")
        if score(policy, job, seeds[:10]).mean >= 0.95 * goal and (
            score(policy, job, seeds).mean >= goal
        ):
            return round
    return None
