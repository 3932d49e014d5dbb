"""Episodes that default experts played when the package was made."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.cli.compose import composed
from dagger_cli.commands.expert_scores import settings_of
from dagger_cli.config.build import TrainJob, train_job
from dagger_cli.config.components import open_for
from dagger_cli.experts.known_scores import known_score
from dagger_cli.loop.evaluate import evaluate

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))
from known_scores import ENVS, main

FIRST = range(1000, 1003)


def job_of(env: str, *words: str) -> TrainJob:
    given = [f"env={env}", "expert=bundled", *words]
    with composed("train", given) as cfg:
        job = train_job(cfg, given, sweep=False)
    job.kit.close()
    return job


def known(job: TrainJob, seeds: range, **others: str):
    env, simulators = settings_of(job)
    return known_score(job.kit.expert.card.identity, env, simulators | others, seeds)


def needs_the_same_versions(job: TrainJob) -> None:
    if known(job, FIRST) is None:
        pytest.skip("the episodes were played with other versions than those installed")


@pytest.mark.parametrize(
    "env",
    [
        "cartpole",
        pytest.param("pendulum", marks=pytest.mark.slow),
        *(
            pytest.param(e, marks=pytest.mark.slow)
            for e in ENVS
            if e not in ("cartpole", "pendulum")
        ),
    ],
)
def test_known_episodes_are_those_that_the_expert_plays(env):
    job = job_of(env)
    needs_the_same_versions(job)
    with closing(open_for(job.env.eval_source, len(FIRST))) as slots:
        score = evaluate(slots, job.kit.expert, FIRST, np.random.default_rng(0))
    found = known(job, FIRST)
    assert found.seeds.tolist() == list(FIRST)
    # Another processor may round otherwise, which Box2D amplifies within an episode.
    np.testing.assert_allclose(found.returns, score.returns, rtol=0.05)
    assert len(known(job, job.evaluation_seeds).returns) == len(job.evaluation_seeds)


def test_nothing_is_known_of_other_episodes():
    job = job_of("cartpole")
    needs_the_same_versions(job)
    assert known(job, range(999, 1002)) is None
    assert known(job, range(1098, 1101)) is None
    assert known(job, FIRST, gymnasium="0.1") is None
    assert known(job_of("cartpole", "env.max_episode_steps=60"), FIRST) is None
    assert known_score("0" * 64, *settings_of(job), FIRST) is None


@pytest.mark.slow
def test_the_script_writes_the_same_lines_again(tmp_path, capsys):
    out = tmp_path / "scores.json"
    needs_the_same_versions(job_of("cartpole"))
    assert main(["env=cartpole", f"out={out}"]) == 0
    assert "bundled ppo agent for CartPole-v1: 500.000 ± 0.000" in capsys.readouterr().out
    ours = Path(__file__).resolve().parents[2] / "dagger_cli" / "experts" / "known_scores.json"
    assert out.read_text("utf-8") == ours.read_text("utf-8")
