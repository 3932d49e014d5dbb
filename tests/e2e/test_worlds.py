"""Environments of EnvPool's through the commands: train, resume, eval, the expert's commands."""

from __future__ import annotations

import json

import pytest

from .running import dagger, differences, summary

pytest.importorskip("envpool", reason="EnvPool is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:.*is out of date")

SHORT = (
    "env.max_episode_steps=25", "n_envs=2", "rounds=2", "steps_per_round=40",
    "policy.sizes=[8]", "policy.gradient_steps=5", "validation.episodes=2", "validation.queries=10",
    "evaluation.episodes=2",
)  # fmt: skip
STILL = "import numpy as np\n\ndef act(obs):\n    return np.zeros({})\n"


# Modules stay imported from one test to the next, so each has a name of its own.
def trained(tmp_path, *words, run, code=0):
    done = dagger("train", *SHORT, *words, f"hydra.run.dir={run}", cwd=tmp_path)
    assert done.code == code, done.err
    return done


@pytest.mark.slow
def test_an_old_version_is_trained_resumed_and_evaluated_without_gymnasium(tmp_path):
    (tmp_path / "idle_cheetah.py").write_text(STILL.format(6))
    words = ("env=gym", "env.id=HalfCheetah-v3", "expert=python", "expert.target=idle_cheetah:act")
    out = trained(tmp_path, *words, run="whole").out
    assert "Gymnasium cannot create HalfCheetah-v3: EnvPool's is used" in " ".join(out.split())
    trained(tmp_path, *words, "rounds=1", "beta.over=2", run="short")
    done = dagger("train", "resume=short", "rounds=2", "trust=[idle_cheetah]", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(tmp_path / "whole", tmp_path / "short") == []
    done = dagger("eval", "checkpoint=whole", "json=score.json", cwd=tmp_path)
    assert done.code == 0, done.err
    score = json.loads((tmp_path / "score.json").read_text())
    assert score["mean"] == summary(tmp_path / "whole")["student"]["mean"]
    done = dagger("eval", "checkpoint=whole", "video=walk.mp4", "episodes=1", cwd=tmp_path)
    assert done.code == 2 and "EnvPool plays it, without pictures" in done.err


def test_the_bundled_cheetah_teaches_a_student_without_velocities(tmp_path):
    trained(tmp_path, "env=halfcheetah", "expert=bundled", "view=positions", run="run")
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert "HalfCheetah-v5" in config
    done = dagger("eval", "checkpoint=run", "episodes=1", cwd=tmp_path)
    assert done.code == 0, done.err


@pytest.mark.slow
def test_goals_and_missed_goals_are_reported(tmp_path):
    (tmp_path / "idle_arm.py").write_text(STILL.format(4))
    words = (
        "env=fetch_reach",
        "expert=python",
        "expert.target=idle_arm:act",
        "view.keep=[observation]",
    )
    out = trained(tmp_path, *words, run="run").out
    assert "misses" in out


def test_published_scores_are_listed_without_a_network(tmp_path):
    done = dagger("expert", "list", "env=hopper", cwd=tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert done.code == 0, done.err
    row = next(line for line in done.out.splitlines() if "sb3/ppo-Hopper-v3" in line)
    assert "2,410.4" in row and "expert=hub expert.algo=ppo" in row
    assert "sb3/td3-Hopper-v3" in done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("env=ant", "env.version=9"), "no env 'Ant-v9'; nearest"),
        (("env=atari", "env.game=pongg"), "no env 'Pongg-v5'; nearest: Pong-v5"),
        (("env=hopper", "env.wrappers=[stack]"), "env.wrappers must be one of time_feature"),
        (("env=hopper", "+env.kwargs.gravity=1"), "env.kwargs.gravity is no option of EnvPool's"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, says, tmp_path):
    done = dagger("train", "expert=bundled", *words, "rounds=1", cwd=tmp_path)
    assert done.code == 2 and says in done.err and done.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
